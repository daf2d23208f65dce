//! The vectors of protocol v2, which were computed from the specification by other code than ours.

use bytes::Bytes;
use distribus_mesh::wire::routed::{self, Content, Header};
use distribus_mesh::wire::v2::{
    Ack, Code, Exception, Frame, Interest, Malformed, Place, Record, decode,
};
use distribus_mesh::{BinaryKind, Outcome, Payload, Raw, Topic};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/v2.json")).expect("the vectors are JSON")
}

fn unhex(text: &str) -> Bytes {
    let digits: Vec<u8> = text.bytes().collect();
    let byte = |pair: &[u8]| {
        u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("digits")
    };
    digits.chunks(2).map(byte).collect::<Vec<u8>>().into()
}

fn entries<'a>(
    vectors: &'a Value,
    list: &str,
) -> impl Iterator<Item = (&'a str, Bytes, &'a Value)> {
    let list = vectors[list].as_array().expect("a list");
    list.iter().map(|entry| {
        let about = entry["about"].as_str().expect("a description");
        (about, unhex(entry["hex"].as_str().expect("hex")), entry)
    })
}

fn raw(value: &Value) -> Option<Raw> {
    value.as_str().map(Raw::from)
}

fn payload(value: &Value) -> Payload {
    let strings = |v: &Value| -> Vec<String> {
        let list = v.as_array().expect("a list").iter();
        list.map(|s| s.as_str().expect("a text").to_owned())
            .collect()
    };
    let blobs = |v: &Value| strings(v).iter().map(|s| unhex(s)).collect();
    if let Some(texts) = raw(&value["json"]) {
        let count = value["count"].as_u64().expect("a count") as u32;
        Payload::Json { texts, count }
    } else if let Some(count) = value["undefined"].as_u64() {
        let count = count as u32;
        Payload::Undefined { count }
    } else if value["text"].is_array() {
        Payload::Text(strings(&value["text"]).into_iter().map(Raw::from).collect())
    } else if value["buffer"].is_array() {
        let kind = BinaryKind::Buffer;
        Payload::Binary {
            items: blobs(&value["buffer"]),
            kind,
        }
    } else {
        let kind = BinaryKind::Uint8Array;
        Payload::Binary {
            items: blobs(&value["uint8array"]),
            kind,
        }
    }
}

fn record(value: &Value) -> Record {
    let number = |v: &Value| v.as_u64().expect("a number");
    if let Some(upto) = value["seen"].as_u64() {
        return Record::Seen(upto);
    }
    if let Some(number) = value["sync"].as_u64() {
        return Record::Sync(number);
    }
    if let Some(number) = value["synced"].as_u64() {
        return Record::Synced(number);
    }
    if value["place"].is_object() {
        let place = &value["place"];
        let hashes = || -> Vec<u64> {
            let texts = place["hashes"].as_array().expect("a list").iter();
            let texts = texts.map(|t| t.as_str().expect("a hash"));
            texts
                .map(|t| u64::from_str_radix(t, 16).expect("16 digits"))
                .collect()
        };
        return Record::Place(match place["what"].as_str() {
            Some("add") => Place::Add {
                whole: false,
                hashes: hashes(),
            },
            Some("whole") => Place::Add {
                whole: true,
                hashes: hashes(),
            },
            Some("remove") => Place::Remove(hashes()),
            _ => Place::Drop(number(&place["shard"]) as u16),
        });
    }
    if value["look"].is_object() {
        return Record::Look {
            number: number(&value["look"]["number"]),
            id: raw(&value["look"]["id"]),
        };
    }
    if value["ask"].is_object() {
        return Record::Ask {
            number: number(&value["ask"]["number"]),
            asker: value["ask"]["asker"].as_str().expect("a host's id").into(),
            id: raw(&value["ask"]["id"]),
        };
    }
    if value["found"].is_object() {
        return Record::Found {
            number: number(&value["found"]["number"]),
            url: raw(&value["found"]["url"]),
        };
    }
    if value["interest"].is_object() {
        let interest = &value["interest"];
        let is = |v: &Value| v.as_bool().expect("a yes or no");
        let changes = interest["changes"].as_array().expect("a list").iter();
        let changes = changes.map(|c| {
            let topic = Topic {
                name: c["name"].as_str().expect("a name").into(),
                pattern: is(&c["pattern"]),
            };
            (is(&c["add"]), topic)
        });
        return Record::Interest(Interest {
            whole: is(&interest["whole"]),
            more: is(&interest["more"]),
            changes: changes.collect(),
        });
    }
    if value["ack"].is_object() {
        let ack = &value["ack"];
        let exceptions = ack["exceptions"].as_array().expect("a list").iter();
        let exceptions = exceptions.map(|e| Exception {
            first: number(&e[0]),
            count: number(&e[1]) as u32,
            code: match e[2].as_str() {
                Some("no such peer") => Code::NoSuchPeer,
                Some("threw") => Code::Threw,
                other => panic!("{other:?}"),
            },
        });
        return Record::Ack(Ack {
            upto: number(&ack["upto"]),
            window: number(&ack["window"]),
            exceptions: exceptions.collect(),
        });
    }
    if value["beat"].is_object() {
        return Record::Beat {
            interval: number(&value["beat"]["interval"]),
            stalled: number(&value["beat"]["stalled"]),
        };
    }
    if value["gap"].is_object() {
        return Record::Gap {
            first: number(&value["gap"]["first"]),
            count: number(&value["gap"]["count"]),
        };
    }
    if value["send"].is_object() {
        let send = &value["send"];
        return Record::Send {
            first: number(&send["first"]),
            to: raw(&send["to"]),
            from: raw(&send["from"]),
            payload: payload(send),
        };
    }
    if value["note"].is_object() {
        let note = &value["note"];
        return Record::Note {
            first: number(&note["first"]),
            head: raw(&note["head"]),
            payload: payload(note),
        };
    }
    if value["request"].is_object() {
        let request = &value["request"];
        return Record::Request {
            first: number(&request["first"]),
            to: raw(&request["to"]),
            from: raw(&request["from"]),
            number: number(&request["number"]),
            payload: payload(request),
        };
    }
    if value["reply"].is_object() {
        let reply = &value["reply"];
        return Record::Reply {
            first: number(&reply["first"]),
            number: number(&reply["number"]),
            outcome: match reply["outcome"].as_str() {
                Some("answered") => Outcome::Answered,
                Some("threw") => Outcome::Threw,
                Some("no handler") => Outcome::NoHandler,
                other => panic!("{other:?}"),
            },
            payload: payload(reply),
        };
    }
    let publish = &value["publish"];
    Record::Publish {
        first: number(&publish["first"]),
        channel: raw(&publish["channel"]),
        payload: payload(publish),
    }
}

fn records(list: &Value) -> Vec<Record> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(record)
        .collect()
}

#[test]
fn frames_are_written_and_read_as_specified() {
    let vectors = vectors();
    let mut count = 0;
    for (about, bytes, entry) in entries(&vectors, "frames") {
        let records = records(&entry["records"]);
        assert_eq!(decode(&bytes).as_ref(), Ok(&records), "{about}");
        let mut frame = Frame::default();
        for record in &records {
            frame.record(record);
        }
        assert_eq!(frame.take(), bytes, "{about}");
        count += 1;
    }
    assert!(count >= 16);
}

#[test]
fn what_is_new_is_skipped() {
    let vectors = vectors();
    for (about, bytes, entry) in entries(&vectors, "others") {
        assert_eq!(decode(&bytes), Ok(records(&entry["read"])), "{about}");
    }
}

#[test]
fn what_breaks_the_rules_is_refused() {
    let vectors = vectors();
    let mut count = 0;
    for (about, bytes, entry) in entries(&vectors, "refused") {
        let error = match entry["error"].as_str() {
            Some("short") => Malformed::Short,
            Some("number") => Malformed::Number,
            Some("utf-8") => Malformed::Utf8,
            Some("run") => Malformed::Run,
            Some("id") => Malformed::Id,
            other => panic!("{other:?}"),
        };
        assert_eq!(decode(&bytes), Err(error), "{about}");
        count += 1;
    }
    assert!(count >= 12);
}

#[test]
fn a_frame_that_is_cut_short_anywhere_is_refused_or_read_in_part() {
    let vectors = vectors();
    for (about, bytes, _) in entries(&vectors, "frames") {
        let whole = decode(&bytes).map_or(0, |records| records.len());
        for end in 0..bytes.len() {
            // It must not panic, and not read what is not there.
            if let Ok(records) = decode(&bytes.slice(..end)) {
                assert!(records.len() < whole, "{about} at {end}");
            }
        }
    }
}

fn relayed(entry: &Value) -> (Header, Content) {
    let text = |name: &str| entry[name].as_str().expect("a text");
    let header = Header {
        origin: text("origin").into(),
        destination: text("destination").into(),
        number: entry["number"].as_u64().expect("a number"),
        theirs: entry["theirs"].as_bool().expect("a yes or no"),
    };
    let content = match text("kind") {
        "open" => Content::Open,
        "end" => Content::End,
        "text" => Content::Text(text("content").into()),
        _ => Content::Records(unhex(text("content"))),
    };
    (header, content)
}

#[test]
fn relayed_frames_are_written_and_read_as_specified() {
    let vectors = vectors();
    let mut count = 0;
    for (about, bytes, entry) in entries(&vectors, "relayed") {
        let (header, content) = relayed(entry);
        assert_eq!(routed::write(&header, &content), bytes, "{about}");
        let (read, at) = routed::header(&bytes).expect(about);
        assert_eq!(read, header, "{about}");
        assert_eq!(routed::content(&bytes, at), Ok(content.clone()), "{about}");
        assert_eq!(routed::opens(&bytes, at), content == Content::Open);
        assert_eq!(routed::ends(&bytes, at), content == Content::End);
        for end in 0..at {
            // It must not panic, and not read what is not there.
            assert!(
                routed::header(&bytes.slice(..end)).is_err(),
                "{about} at {end}"
            );
        }
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn relayed_frames_that_break_the_rules_are_refused() {
    let vectors = vectors();
    let mut count = 0;
    for (about, bytes, entry) in entries(&vectors, "relayed refused") {
        let error = match entry["error"].as_str() {
            Some("short") => Malformed::Short,
            Some("number") => Malformed::Number,
            Some("utf-8") => Malformed::Utf8,
            Some("id") => Malformed::Id,
            other => panic!("{other:?}"),
        };
        let read = routed::header(&bytes).and_then(|(_, at)| routed::content(&bytes, at));
        assert_eq!(read, Err(error), "{about}");
        count += 1;
    }
    assert!(count >= 9);
}
