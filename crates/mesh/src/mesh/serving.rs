//! What other hosts ask of this one, and the answers.

use crate::event::Event;
use crate::json;
use crate::mesh::Mesh;
use crate::mesh::pending::Due;
use crate::parts::answers::Held;
use crate::parts::peers::Parcel;
use crate::payload::Payload;
use crate::wire::v1;
use crate::words::{LinkId, Raw, Reply};

impl Mesh {
    /// A message to a peer comes in version 1.
    pub(super) fn deliver_one(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        from: Option<Raw>,
        to: Option<Raw>,
        message: Option<Raw>,
    ) {
        let payload = Payload::one(message);
        let kept = self.proxies_for(link).then(|| {
            let (from, to) = (from.clone(), to.clone());
            Box::new(Parcel::new(0, from, to, payload.clone()))
        });
        self.event(Event::Deliver {
            to: to.clone(),
            from,
            payload,
        });
        self.owe(link, id, Due::Delivery { to, message: kept });
    }

    /// Something published comes in version 1.
    pub(super) fn publish_one(
        &mut self,
        link: LinkId,
        id: Option<Raw>,
        channel: Option<Raw>,
        message: Option<Raw>,
    ) {
        let payload = Payload::one(message);
        let from_v1 = self.network.link(link).is_none_or(|l| l.host.is_none());
        self.event(Event::Publish {
            channel,
            payload,
            from_v1,
        });
        self.owe(link, id, Due::Publish);
    }

    pub(super) fn pong(&mut self, link: LinkId, id: Option<Raw>, echo: Option<Raw>) {
        let Some(id) = id else { return };
        let mut message = String::from("{");
        json::push_member(&mut message, "result", echo.as_deref());
        json::push_member(&mut message, "error", Some("null"));
        message.push('}');
        self.answer(link, v1::answer(&id, Some(&message), None));
    }

    /// Whether a peer lives here, of which the program has said so. Whoever leaves has no peers for others any more.
    pub(super) fn is_here(&self, reply: Option<Reply>) -> bool {
        reply == Some(Reply::Here) && self.closing.is_none() && !self.retiring
    }

    /// Gives an answer whose time has come; `reply` is what the program said to the event just before it.
    pub(super) fn give(&mut self, held: Held<Due>, reply: Option<Reply>) {
        let Held { link, id, answer } = held;
        let text = match answer {
            Due::Message(message) => v1::answer(&id, message.as_deref(), None),
            Due::Greeting(message) => {
                self.answer(link, v1::answer(&id, Some(&message), None));
                if let Some(host) = self.session_of(link) {
                    self.session_ready(&host);
                }
                return;
            }
            Due::Delivery { to, message } => match reply {
                Some(Reply::NoSuchPeer) => match message {
                    Some(parcel) if self.proxies_now(link, &to) => {
                        return self.send_for(link, id, *parcel);
                    }
                    _ => v1::failure(&id, &json::quote(&v1::peer_not_found(&to))),
                },
                reply => {
                    self.delivered_here(&to);
                    match reply {
                        Some(Reply::Threw(text)) => v1::failure(&id, &text),
                        _ => v1::answer(&id, Some("null"), None),
                    }
                }
            },
            Due::Publish => match reply {
                Some(Reply::Threw(text)) => v1::failure(&id, &text),
                _ => v1::answer(&id, Some("{\"result\":null,\"error\":null}"), None),
            },
            Due::Lookup { peer } => match (self.is_here(reply), &self.url) {
                (false, _) if self.proxies_now(link, &peer) => {
                    return self.find_for(link, id, peer);
                }
                (true, Some(url)) => v1::answer(&id, Some(&json::quote(url)), None),
                (true, None) => v1::answer(&id, Some("null"), Some(&json::quote(&self.id))),
                (false, _) => v1::answer(&id, Some("null"), None),
            },
            Due::Dial => return self.may_dial(link, reply == Some(Reply::Dial)),
            Due::Found { number } => return self.give_found(link, number, reply),
            Due::List => match reply {
                Some(Reply::Ids(ids)) => v1::answer(&id, Some(&ids), None),
                _ => v1::answer(&id, Some("[]"), None),
            },
            Due::Goodbye { back } => {
                // In this order, as a 0.4.0 host does: it closes as soon as its goodbye is answered.
                if back && self.network.link(link).is_some() {
                    self.say_goodbye(link);
                }
                v1::answer(&id, Some("\"goodbye\""), None)
            }
            Due::End => {
                if self.network.link(link).is_some() {
                    self.close_link(link);
                }
                return;
            }
        };
        self.answer(link, text);
    }
}
