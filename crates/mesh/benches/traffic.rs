//! The hot paths of the mesh: messages between two hosts, and their acknowledgements, without any I/O.
//!
//! `cargo bench -p distribus-mesh`. The figure to look at is the throughput, in messages a second.

use std::time::Duration;

use bytestring::ByteString;
use distribus_mesh::{Config, Event, Input, LinkId, Mesh, Nearness, Output, Payload};
use divan::counter::ItemsCount;

/// Two hosts and the wire between them.
struct Pair {
    meshes: [Mesh; 2],
    links: [LinkId; 2],
    told: [u64; 2],
    seq: u64,
}

impl Pair {
    /// `v1`: the second one is taken for a 0.4.0 host.
    fn new(v1: bool) -> Pair {
        let mesh = |id: &'static str| Mesh::new(Config::default(), id.into(), 1);
        let mut pair = Pair {
            meshes: [mesh("a"), mesh("b")],
            links: [LinkId(1), LinkId(1)],
            told: [0, 0],
            seq: 0,
        };
        let url = ByteString::from_static("ws://b");
        pair.input(1, Input::SetUrl(Some(url.clone())), v1);
        let accepted = pair.meshes[1].next_link();
        pair.links[1] = accepted;
        pair.input(0, Input::Join { call: 1, url }, v1);
        pair.input(
            1,
            Input::Accepted {
                link: accepted,
                near: Nearness::Elsewhere,
            },
            v1,
        );
        pair.input(
            0,
            Input::Opened {
                link: LinkId(1),
                near: Nearness::Elsewhere,
            },
            v1,
        );
        let id = Some(ByteString::from_static("\"r\""));
        pair.input(0, Input::Find { call: 2, id }, v1);
        pair
    }

    /// Gives an input to a host, carries what it says to the other one and back, and applies all events at once.
    fn input(&mut self, n: usize, input: Input, v1: bool) -> u64 {
        let mut settled = 0;
        let mut queue = vec![(n, input)];
        let mut out = Vec::new();
        while !queue.is_empty() {
            for (n, input) in std::mem::take(&mut queue) {
                self.meshes[n].handle(Duration::ZERO, input, &mut out);
                self.meshes[n].flush(&mut out);
                let mut replies = Vec::new();
                let before = self.told[n];
                for output in out.drain(..) {
                    let (m, link) = (1 - n, self.links[1 - n]);
                    match output {
                        Output::Transmit { text, .. } => {
                            let text = if v1 { strip(&text) } else { text };
                            queue.push((m, Input::Received { link, text }));
                        }
                        Output::TransmitBinary { bytes, .. } => {
                            queue.push((m, Input::ReceivedBinary { link, bytes }));
                        }
                        Output::Event(event) => {
                            if let Event::Lookup { .. } = event {
                                replies.push((self.told[n], 0, distribus_mesh::Reply::Here));
                            }
                            if let Event::Settled { count, .. } = event {
                                settled += count;
                            }
                            self.told[n] += 1;
                        }
                        _ => {}
                    }
                }
                if self.told[n] > before {
                    let (upto, part) = (self.told[n], 0);
                    queue.push((
                        n,
                        Input::Applied {
                            upto,
                            part,
                            replies,
                        },
                    ));
                }
            }
        }
        settled
    }

    fn send(&mut self, payload: Payload, v1: bool) {
        let count = u64::from(payload.count());
        let (seq, from, to) = (self.seq, Some("\"s\"".into()), Some("\"r\"".into()));
        self.seq += count;
        let send = Input::Send {
            seq,
            from,
            to,
            payload,
        };
        assert_eq!(self.input(0, send, v1), count, "all of it is acknowledged");
    }
}

/// What a 0.4.0 host leaves out of a greeting.
fn strip(text: &str) -> ByteString {
    let Ok(mut frame) = serde_json::from_str::<serde_json::Value>(text) else {
        return text.into();
    };
    for at in ["", "/message", "/message/params"] {
        if let Some(object) = frame.pointer_mut(at).and_then(|v| v.as_object_mut()) {
            object.remove("host");
        }
    }
    frame.to_string().into()
}

fn run(count: u32) -> Payload {
    let texts: Vec<String> = (0..count).map(|n| format!("\"message {n}\"")).collect();
    let texts = texts.join(",").into();
    Payload::Json { texts, count }
}

/// Sent, received, applied, acknowledged, settled.
#[divan::bench(args = [1, 16, 256])]
fn acknowledged_run(bencher: divan::Bencher, count: u32) {
    let mut pair = Pair::new(false);
    let payload = run(count);
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| pair.send(payload.clone(), false));
}

#[divan::bench]
fn acknowledged_long_strings(bencher: divan::Bencher) {
    let mut pair = Pair::new(false);
    let payload = Payload::Text(vec!["x".repeat(1024).into(); 64]);
    bencher
        .counter(ItemsCount::new(64usize))
        .bench_local(|| pair.send(payload.clone(), false));
}

/// The same with a 0.4.0 host at the other end: a request and an answer for each message. (Includes what makes it one.)
#[divan::bench]
fn acknowledged_v1(bencher: divan::Bencher) {
    let mut pair = Pair::new(true);
    let payload = run(1);
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| pair.send(payload.clone(), true));
}

#[divan::bench]
fn published_run(bencher: divan::Bencher) {
    let mut pair = Pair::new(false);
    let payload = run(256);
    bencher.counter(ItemsCount::new(256usize)).bench_local(|| {
        let channel = Some("\"news\"".into());
        let payload = payload.clone();
        pair.input(0, Input::Publish { channel, payload }, false)
    });
}

fn main() {
    divan::main();
}
