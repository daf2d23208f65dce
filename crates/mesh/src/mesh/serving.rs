//! What other hosts ask of this one, and the answers.

use super::network::joining;
use super::{Due, Mesh, Waiter};
use crate::event::Event;
use crate::json;
use crate::parts::answers::Held;
use crate::parts::relays::is_relayed;
use crate::payload::Payload;
use crate::wire::greeting::Hello;
use crate::wire::v1::{self, Body};
use crate::words::{LinkId, Raw, Reply};

impl Mesh {
    pub(super) fn serve(&mut self, link: LinkId, id: Option<Raw>, body: Body) {
        match body.method.as_ref().and_then(json::string).as_deref() {
            Some("greeting") => {
                self.greeting(link, id, Hello::read(body.params.as_ref()), false);
            }
            Some("join") => {
                let [url] = body.params(["url"]);
                let url = url.as_ref().and_then(json::string).unwrap_or_default();
                match id {
                    Some(id) => self.join(url, Waiter::Request { link, id }),
                    None if is_relayed(link) => self.begins_to_listen(link, url),
                    None => self.join(url, Waiter::Hint),
                }
            }
            Some("goodbye") if self.is_given_up(link, &body) => self.drop_link(link),
            Some("goodbye") => self.goodbye(link, id, &body),
            Some("members") => self.members_request(link, id, &body),
            Some("hosts") => self.hosts_request(link, id, &body),
            Some("find") => {
                let [peer] = body.params(["id"]);
                if !self.allows(&peer) {
                    if let Some(id) = id {
                        self.transmit(link, v1::answer(&id, Some("null"), None));
                    }
                    return;
                }
                self.event(Event::Lookup { id: peer });
                self.owe(link, id, Due::Lookup);
            }
            Some("list") => {
                self.event(Event::List);
                self.owe(link, id, Due::List);
            }
            Some("send") => {
                let [from, to, message] = body.params(["from", "to", "message"]);
                if !self.allows(&from) || !self.allows(&to) {
                    // No such peer can have been made here, and an original takes everything else for a success.
                    return self.refuse(link, id, "Error: Peer not found (id is too long)");
                }
                let payload = Payload::one(message);
                self.event(Event::Deliver {
                    to: to.clone(),
                    from,
                    payload,
                });
                self.owe(link, id, Due::Delivery { to });
            }
            Some("publish") => {
                let [channel, message] = body.params(["channel", "message"]);
                if !self.allows(&channel) {
                    return self.refuse(link, id, "The channel's name is too long");
                }
                let payload = Payload::one(message);
                let original = self.hosts.get(link).is_none_or(|l| l.host.is_none());
                self.event(Event::Publish {
                    channel,
                    payload,
                    original,
                });
                self.owe(link, id, Due::Publish);
            }
            Some("ping") => {
                let mut message = String::from("{");
                json::push_member(&mut message, "result", body.params.as_deref());
                json::push_member(&mut message, "error", Some("null"));
                message.push('}');
                if let Some(id) = id {
                    self.transmit(link, v1::answer(&id, Some(&message), None));
                }
            }
            _ => {
                if let Some(id) = id {
                    let text = format!("Unknown method \"{}\"", json::display(&body.method));
                    self.transmit(link, v1::failure(&id, &json::quote(&text)));
                }
            }
        }
    }

    fn hosts_request(&mut self, link: LinkId, id: Option<Raw>, body: &Body) {
        let [urls] = body.params(["urls"]);
        for url in joining::urls(urls.as_ref()) {
            self.join(url, Waiter::Hint);
        }
        let known = |l: LinkId| {
            self.hosts.get(l).is_some_and(|l| {
                let dialled = l.dialled.is_some() && l.dialled != l.host;
                dialled || l.url.is_some()
            })
        };
        let urls: Vec<&str> = self
            .hosts
            .joined()
            .filter(|(_, l)| known(*l))
            .map(|(key, _)| key.as_ref())
            .collect();
        let message = serde_json::Value::from(urls).to_string();
        self.owe(link, id, Due::Message(Some(message)));
    }

    /// Whether a peer lives here, of which the program has said so. Whoever leaves has no peers for others any more.
    pub(super) fn is_here(&self, reply: Option<Reply>) -> bool {
        reply == Some(Reply::Here) && self.closing.is_none() && !self.drained
    }

    /// Gives an answer whose time has come; `reply` is what the program said to the event just before it.
    pub(super) fn give(&mut self, held: Held<Due>, reply: Option<Reply>) {
        let Held { link, id, answer } = held;
        let text = match answer {
            Due::Message(message) => v1::answer(&id, message.as_deref(), None),
            Due::Greeting(message) => {
                self.transmit(link, v1::answer(&id, Some(&message), None));
                if let Some(host) = self.session_of(link) {
                    self.session_ready(&host);
                }
                return;
            }
            Due::Delivery { to } => match reply {
                Some(Reply::NoSuchPeer) => {
                    let text = format!("Error: Peer not found (id: {})", json::display(&to));
                    v1::failure(&id, &json::quote(&text))
                }
                Some(Reply::Threw(text)) => v1::failure(&id, &text),
                _ => v1::answer(&id, Some("null"), None),
            },
            Due::Publish => match reply {
                Some(Reply::Threw(text)) => v1::failure(&id, &text),
                _ => v1::answer(&id, Some("{\"result\":null,\"error\":null}"), None),
            },
            Due::Lookup => match (self.is_here(reply), &self.url) {
                (true, Some(url)) => v1::answer(&id, Some(&json::quote(url)), None),
                (true, None) => v1::answer(&id, Some("null"), Some(&json::quote(&self.id))),
                (false, _) => v1::answer(&id, Some("null"), None),
            },
            Due::Found { number } => return self.give_found(link, number, reply),
            Due::List => match reply {
                Some(Reply::Ids(ids)) => v1::answer(&id, Some(&ids), None),
                _ => v1::answer(&id, Some("[]"), None),
            },
            Due::Goodbye { back } => {
                // In this order, as the original does: it closes as soon as its goodbye is answered.
                if back && self.hosts.get(link).is_some() {
                    self.say_goodbye(link);
                }
                v1::answer(&id, Some("\"goodbye\""), None)
            }
            Due::End => {
                if self.hosts.get(link).is_some() {
                    self.close_link(link);
                }
                return;
            }
        };
        self.transmit(link, text);
    }
}
