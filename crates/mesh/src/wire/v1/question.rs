//! What another host asks, or tells, in version 1: the methods and their parameters.

use bytestring::ByteString;

use super::Body;
use crate::json;
use crate::limits::MAX_URLS;
use crate::wire::greeting::Hello;
use crate::wire::member::{self, Member};
use crate::words::Raw;

/// A request or a notification, read. Parameters that are missing or odd count as missing.
#[derive(Debug)]
pub enum Question {
    Greeting(Box<Hello>),
    /// Connect with the host at that url. Over a relayed link and without an answer: that is where the sender listens now.
    Join {
        url: ByteString,
    },
    /// `host` leaves, if it is named. `direct`: only this link, which another one has taken the place of.
    Goodbye {
        host: Option<ByteString>,
        direct: bool,
    },
    /// Members, or a digest of them. `all`: the list is all that the sender knows. `relayed`: a digest of those that nobody can dial.
    Members {
        list: Vec<Member>,
        digest: Option<ByteString>,
        relayed: Option<ByteString>,
        all: bool,
    },
    Hosts {
        urls: Vec<ByteString>,
    },
    /// That host, to which the sender relays, is on the sender's machine.
    Near {
        host: Option<ByteString>,
    },
    Find {
        peer: Option<Raw>,
    },
    List,
    Send {
        from: Option<Raw>,
        to: Option<Raw>,
        message: Option<Raw>,
    },
    Publish {
        channel: Option<Raw>,
        message: Option<Raw>,
    },
    Ping {
        echo: Option<Raw>,
    },
    Unknown {
        method: Option<Raw>,
    },
}

impl Question {
    pub fn read(body: Body) -> Question {
        let method = body.method.as_ref().and_then(json::string);
        match method.as_deref() {
            Some("greeting") => Question::Greeting(Hello::read(body.params.as_ref()).into()),
            Some("join") => {
                let [url] = body.params(["url"]);
                let url = url.as_ref().and_then(json::string).unwrap_or_default();
                Question::Join { url }
            }
            Some("goodbye") => Question::goodbye(&body),
            Some("members") => {
                let names = ["members", "digest", "all", "relayed"];
                let [list, digest, all, relayed] = body.params(names);
                Question::Members {
                    list: member::read(list.as_ref()),
                    digest: digest.as_ref().and_then(json::string),
                    relayed: relayed.as_ref().and_then(json::string),
                    all: all.as_ref().is_some_and(json::truthy),
                }
            }
            Some("hosts") => {
                let [told] = body.params(["urls"]);
                let urls = urls(told.as_ref());
                Question::Hosts { urls }
            }
            Some("near") => {
                let [id] = body.params(["id"]);
                let host = id.as_ref().and_then(json::string);
                Question::Near { host }
            }
            Some("find") => {
                let [peer] = body.params(["id"]);
                Question::Find { peer }
            }
            Some("list") => Question::List,
            Some("send") => {
                let [from, to, message] = body.params(["from", "to", "message"]);
                Question::Send { from, to, message }
            }
            Some("publish") => {
                let [channel, message] = body.params(["channel", "message"]);
                Question::Publish { channel, message }
            }
            Some("ping") => Question::Ping { echo: body.params },
            _ => Question::Unknown {
                method: body.method,
            },
        }
    }

    fn goodbye(body: &Body) -> Question {
        let [host, direct] = body.params(["host", "direct"]);
        let [id] = host
            .as_ref()
            .and_then(|host| json::members(host, ["id"]))
            .unwrap_or_default();
        Question::Goodbye {
            host: id.as_ref().and_then(json::string),
            direct: direct.as_ref().is_some_and(json::truthy),
        }
    }
}

/// The urls in a JSON array, as far as it is one, and no more than a host may tell of at a time.
pub fn urls(array: Option<&Raw>) -> Vec<ByteString> {
    let mut urls = Vec::new();
    let is_array = array.is_some_and(|array| {
        json::each(array, |element| {
            if urls.len() < MAX_URLS {
                urls.extend(json::string(&element));
            }
        })
    });
    if is_array { urls } else { Vec::new() }
}
