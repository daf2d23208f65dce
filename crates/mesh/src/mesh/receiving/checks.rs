//! What this host accepts of others.

use bytestring::ByteString;

use crate::json;
use crate::limits::{Limits, MAX_HOST_ID, MAX_NUMBER, MAX_URL};
use crate::parts::directory::is_shard;
use crate::payload::Payload;
use crate::topic::Topic;
use crate::urls;
use crate::wire::greeting::{Hello, Offer, Welcome};
use crate::wire::member::Member;
use crate::wire::v1::Question;
use crate::wire::v2::{Interest, Place, Record};
use crate::words::{CloseReason, Raw};

/// Every channel. What a pattern that is too long to be kept is taken for.
const EVERYTHING: &str = "**";

/// Holds what others say against what this host accepts.
///
/// A url, or the id of a host, that nobody can have counts as missing. What is kept for long is copied: it must not keep its frame.
pub(super) struct Checks {
    pub(super) limits: Limits,
}

impl Checks {
    /// A question, without what counts as missing. `Err`: an id or a channel in it is too long, or a url no url of a host.
    pub(super) fn question(&self, question: Question) -> Result<Question, Question> {
        let fine = match &question {
            Question::Find { peer: id }
            | Question::Publish { channel: id, .. }
            | Question::Unknown { method: id } => self.limits.allow(id),
            Question::Send { from, to, .. } => self.limits.allow(from) && self.limits.allow(to),
            Question::Join { url } => url.is_empty() || is_url(url),
            _ => true,
        };
        if !fine {
            return Err(question);
        }
        Ok(match question {
            Question::Greeting(said) => Question::Greeting(hello(*said).into()),
            Question::Join { url } => Question::Join { url: copy(&url) },
            Question::Goodbye { host: id, direct } => Question::Goodbye {
                host: host(id),
                direct,
            },
            Question::Near { host: id } => Question::Near { host: host(id) },
            Question::Members {
                list,
                digest,
                relayed,
                all,
            } => Question::Members {
                list: members(list),
                digest: host(digest),
                relayed: host(relayed),
                all,
            },
            Question::Hosts { urls: list } => Question::Hosts {
                urls: all_urls(list),
            },
            question => question,
        })
    }

    /// A record, without what counts as missing. `Err`: whoever says that does not keep to the protocol.
    pub(super) fn record(&self, record: Record) -> Result<Record, CloseReason> {
        if !are_numbers(&record) {
            return Err(CloseReason::Fault);
        }
        let limits = &self.limits;
        let short = match &record {
            Record::Send { to, from, .. } | Record::Request { to, from, .. } => {
                limits.allow(to) && limits.allow(from)
            }
            Record::Publish { channel, .. } => limits.allow(channel),
            Record::Note { head, .. } => limits.allow_head(head),
            _ => true,
        };
        Ok(match record {
            _ if !short => return Err(CloseReason::TooLarge),
            Record::Interest(interest) => Record::Interest(self.interest(interest)),
            Record::Found { number, url } => Record::Found {
                number,
                // Whoever has none is found all the same.
                url: url.map(|there| self::url(Some(there)).unwrap_or_default()),
            },
            record => record,
        })
    }

    /// No channel here has a name that is too long. A pattern that is too long may match some all the same: its host gets everything.
    fn interest(&self, interest: Interest) -> Interest {
        let allowed = |(_, topic): (bool, Topic)| self.limits.allow_name(&topic.name);
        if interest.changes.iter().all(allowed) {
            return interest;
        }
        let kept = |(add, Topic { name, pattern }): (bool, Topic)| {
            let name = match self.limits.allow_name(&name) {
                true => name,
                false if add && pattern => ByteString::from_static(EVERYTHING),
                false => return None,
            };
            Some((add, Topic { name, pattern }))
        };
        Interest {
            changes: interest.changes.iter().filter_map(kept).collect(),
            ..interest
        }
    }

    /// The ids in a list of peers, a JSON array, that peers can have.
    pub(super) fn peers(&self, list: Option<Raw>) -> Option<Raw> {
        let list = list?;
        let (mut all, mut fine) = (true, String::from("["));
        let is_array = json::each(&list, |id| {
            if !self.limits.allow(&Some(id.clone())) {
                all = false;
                return;
            }
            if fine.len() > 1 {
                fine.push(',');
            }
            fine.push_str(&id);
        });
        fine.push(']');
        is_array.then(|| if all { list } else { fine.into() })
    }
}

/// What a host says of itself.
fn hello(hello: Hello) -> Hello {
    Hello {
        url: url(hello.url),
        id: host(hello.id),
        number: hello.number.filter(|n| *n <= MAX_NUMBER),
        relayed: host(hello.relayed),
        session: hello.session.and_then(offer),
        ..hello
    }
}

/// What a host answers to our greeting. Its network id is a program's value, and bounded by its frame alone.
pub(super) fn welcome(welcome: Welcome) -> Welcome {
    Welcome {
        network: welcome.network.as_ref().map(copy),
        url: url(welcome.url),
        id: host(welcome.id),
        number: welcome.number.filter(|n| *n <= MAX_NUMBER),
        members: members(welcome.members),
        session: welcome.session.and_then(offer),
        ..welcome
    }
}

fn offer(offer: Offer) -> Option<Offer> {
    let fine = offer.received <= MAX_NUMBER && offer.seen <= MAX_NUMBER;
    let id = copy(&offer.id);
    fine.then_some(Offer { id, ..offer })
}

fn members(list: Vec<Member>) -> Vec<Member> {
    let fine = |member: Member| {
        let id = host(member.host);
        match url(Some(member.url)) {
            Some(url) => Some(Member { url, host: id }),
            None => id.map(Member::relayed),
        }
    };
    list.into_iter().filter_map(fine).collect()
}

pub(super) fn all_urls(list: Vec<ByteString>) -> Vec<ByteString> {
    list.into_iter().filter_map(|one| url(Some(one))).collect()
}

pub(super) fn url(text: Option<ByteString>) -> Option<ByteString> {
    text.filter(is_url).as_ref().map(copy)
}

/// Whether a host can have that url. No other one is ever dialled because others tell of it.
fn is_url(text: &ByteString) -> bool {
    text.len() <= MAX_URL && urls::is_of_host(text)
}

/// The id of a host, or a digest, which is shorter.
pub(super) fn host(text: Option<ByteString>) -> Option<ByteString> {
    let fine = |text: &ByteString| text.len() <= MAX_HOST_ID;
    text.filter(fine).as_ref().map(copy)
}

/// Whether the numbers in a record are some that can be meant, whatever was said before.
fn are_numbers(record: &Record) -> bool {
    match record {
        Record::Send { first, payload, .. }
        | Record::Publish { first, payload, .. }
        | Record::Note { first, payload, .. } => is_numbered(*first, payload),
        Record::Request {
            first,
            number,
            payload,
            ..
        }
        | Record::Reply {
            first,
            number,
            payload,
            ..
        } => is_numbered(*first, payload) && is_countable(*number, payload),
        Record::Gap { first, count } => *first > 0 && *count > 0,
        Record::Place(Place::Drop(shard)) => is_shard(*shard),
        _ => true,
    }
}

/// Whether messages of a session can have these numbers, of which that is the first one.
fn is_numbered(first: u64, payload: &Payload) -> bool {
    first > 0 && is_countable(first, payload)
}

fn is_countable(first: u64, payload: &Payload) -> bool {
    first + u64::from(payload.count()) - 1 <= MAX_NUMBER
}

fn copy(text: &ByteString) -> ByteString {
    ByteString::from(text.to_string())
}
