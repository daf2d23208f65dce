//! Hosts that meet over a stream that is no socket, brought in from outside of the crate, as TLS would be.
#![cfg(not(feature = "simulated"))]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use distribus_mesh::{
    CallError, Change, Config, DialError, Event, Input, Payload, Raw, Reach, Reply, Topic,
};
use distribus_net::{
    Attached, Dialer, Host, HostHandle, LinkReader, Opened, Pipe, ReadLoop, dial_over,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream, DuplexStream, copy_bidirectional, duplex};
use tokio::task::AbortHandle;

/// What the stream holds: much less than a message.
const SMALL: usize = 1024;

const LONG: Duration = Duration::from_secs(20);

/// A host and its program, which answers on a thread of its own and hands on what it was told.
struct Program {
    name: &'static str,
    handle: HostHandle,
    told: Receiver<Event>,
}

fn peer(name: &str) -> Raw {
    format!("\"peer of {name}\"").into()
}

impl Program {
    fn new(name: &'static str, read_loop: Option<Arc<dyn ReadLoop>>) -> Program {
        let config = Config {
            reconnect_delay: Duration::from_millis(1),
            reconnect_decay: 1.0,
            ..Config::default()
        };
        let (wake, woken) = channel();
        let handle = HostHandle::new(config, move || _ = wake.send(()), read_loop);
        let (tell, told) = channel();
        let program = handle.clone();
        thread::spawn(move || {
            while woken.recv().is_ok() {
                answer(name, &program, &tell);
            }
        });
        let topic = Topic {
            name: "news".into(),
            pattern: false,
        };
        let url = format!("wss://{name}");
        handle.input([Input::SetUrl(Some(url.into())), Input::Subscribe { topic }]);
        Program { name, handle, told }
    }

    /// What it is told next that is looked for.
    fn next<T>(&self, mut look: impl FnMut(&Event) -> Option<T>) -> T {
        loop {
            let event = self.told.recv_timeout(LONG);
            let event = event.unwrap_or_else(|_| panic!("{} is told nothing more", self.name));
            if let Some(found) = look(&event) {
                return found;
            }
        }
    }

    fn until(&self, expected: Change) {
        self.next(|event| match event {
            Event::Member { change, .. } => (*change == expected).then_some(()),
            _ => None,
        });
    }

    /// The next messages for its peer.
    fn messages(&self, count: usize) -> Vec<Raw> {
        let mut messages = Vec::new();
        while messages.len() < count {
            messages.extend(self.next(|event| match event {
                Event::Deliver { payload, .. } => {
                    Some(payload.clone().into_json().into_iter().flatten())
                }
                _ => None,
            }));
        }
        messages
    }

    /// Waits until so many of its messages are acknowledged.
    fn settled(&self, count: u64) {
        let mut settled = 0;
        while settled < count {
            settled += self.next(|event| match event {
                Event::Settled { count, .. } => Some(*count),
                Event::Failed { error, .. } => panic!("{error:?}"),
                _ => None,
            });
        }
    }

    fn join(&self, url: &str) -> Result<(), CallError> {
        let url = url.into();
        self.handle.input([Input::Join { call: 1, url }]);
        self.done()
    }

    fn done(&self) -> Result<(), CallError> {
        self.next(|event| match event {
            Event::Done { result, .. } => Some(result.clone().map(drop)),
            _ => None,
        })
    }

    /// Sends what waits for the other host if that is lost.
    fn send(&self, first: u64, to: &Program, messages: &[Raw]) {
        for (seq, message) in (first..).zip(messages) {
            self.handle.input([Input::SendPatiently {
                seq,
                from: Some(peer(self.name)),
                to: Some(peer(to.name)),
                payload: Payload::one(Some(message.clone())),
            }]);
        }
    }
}

/// Applies what waits for a program.
fn answer(name: &str, handle: &HostHandle, tell: &Sender<Event>) {
    let mut events = Vec::new();
    loop {
        let upto = handle.take(1 << 20, &mut events);
        if events.is_empty() {
            return;
        }
        let mut replies = Vec::new();
        for (number, event) in (upto - events.len() as u64..).zip(events.drain(..)) {
            if matches!(&event, Event::Lookup { id } if *id == Some(peer(name))) {
                replies.push((number, 0, Reply::Here));
            }
            let _ = tell.send(event);
        }
        handle.input([Input::Applied {
            upto,
            part: 0,
            replies,
        }]);
    }
}

/// Leads to one host, through memory. What is written leaves only when it is flushed.
#[derive(Clone)]
struct Wire {
    far: HostHandle,
    /// Carries the bytes of the connection that was made last.
    carrier: Arc<Mutex<Option<AbortHandle>>>,
}

impl Wire {
    fn to(program: &Program) -> Wire {
        Wire {
            far: program.handle.clone(),
            carrier: Arc::default(),
        }
    }

    /// Breaks the connection.
    fn cut(&self) {
        let carrier = self.carrier.lock().expect("no panic").take();
        carrier.expect("a connection").abort();
    }
}

impl Dialer for Wire {
    type Opened = Opened<Pipe<BufStream<DuplexStream>>>;

    async fn dial<H: Host>(
        &self,
        host: &H,
        url: &str,
        _: Reach,
    ) -> Result<Self::Opened, DialError> {
        let (near, mut left) = duplex(SMALL);
        let (mut right, far) = duplex(SMALL);
        let carrying = tokio::spawn(async move { copy_bidirectional(&mut left, &mut right).await });
        *self.carrier.lock().expect("no panic") = Some(carrying.abort_handle());
        self.far.accept(BufStream::new(far));
        dial_over(host, url, BufStream::new(near)).await
    }
}

/// An event loop for plain sockets, of which there are none here.
struct NoSockets;

impl ReadLoop for NoSockets {
    fn attach(&self, _: Box<dyn LinkReader>) -> Option<Box<dyn Attached>> {
        panic!("nothing here can be read by an event loop")
    }

    fn read_now(&self) {}
}

fn numbered(count: usize, length: usize) -> Vec<Raw> {
    let text = "x".repeat(length);
    (0..count)
        .map(|n| format!("[{n},\"{text}\"]").into())
        .collect()
}

#[test]
fn hosts_talk_over_a_stream_that_is_no_socket_once_its_scheme_has_a_dialer() {
    let one = Program::new("one", Some(Arc::new(NoSockets)));
    let two = Program::new("two", None);
    let failed = one.join("wss://two").expect_err("no dialer yet");
    assert!(
        matches!(&failed, CallError::Dial(error) if error.code == "ERR_TLS_UNSUPPORTED"),
        "{failed:?}"
    );
    one.handle.dial_with("wss", Wire::to(&two));
    assert_eq!(one.join("wss://two"), Ok(()));
    two.until(Change::Join);

    // Both ways at once, and more than fits into the stream.
    let (there, back) = (numbered(300, 2_000), numbered(20, 200_000));
    one.send(0, &two, &there);
    two.send(0, &one, &back);
    assert!(two.messages(there.len()) == there);
    assert!(one.messages(back.len()) == back);
    let channel = Some(Raw::from("\"news\""));
    let payload = Payload::one(Some("1".into()));
    one.handle.input([Input::Publish { channel, payload }]);
    two.next(|event| matches!(event, Event::Publish { .. }).then_some(()));

    let stats = one.handle.stats();
    let traffic = stats.links.first().expect("a link").traffic;
    assert!(traffic.sent > 600_000 && traffic.received > 4_000_000);

    // The goodbye, its answer and the close frames get over.
    one.handle.input([Input::Close { call: 2 }]);
    assert_eq!(one.done(), Ok(()));
    two.until(Change::Leave);
}

#[test]
fn a_link_over_a_stream_that_is_no_socket_is_lost_and_made_again_and_no_message_with_it() {
    let (one, two) = (Program::new("one", None), Program::new("two", None));
    let wire = Wire::to(&two);
    one.handle.dial_with("wss", wire.clone());
    assert_eq!(one.join("wss://two"), Ok(()));
    two.until(Change::Join);
    let messages = numbered(200, 2_000);
    let (first, second) = messages.split_at(100);
    one.send(0, &two, first);
    assert!(two.messages(1) == first[..1]);
    wire.cut();
    one.send(first.len() as u64, &two, second);
    assert!(two.messages(messages.len() - 1) == messages[1..]);
    one.settled(messages.len() as u64);
}

#[test]
fn a_close_frame_is_answered_before_a_stream_that_is_no_socket_ends() {
    let host = Program::new("one", None).handle;
    let request = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    // With a mask of zeros, which changes nothing.
    let close = [0x88, 0x82, 0, 0, 0, 0, 3, 0xe9];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let answer = runtime.expect("a runtime").block_on(async {
        let (mut near, far) = duplex(SMALL);
        host.accept(BufStream::new(far));
        near.write_all(&[request.as_bytes(), &close].concat())
            .await
            .expect("written");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LONG, near.read_to_end(&mut answer)).await;
        read.expect("an end").expect("no error");
        answer
    });
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    assert!(answer.ends_with(b"\r\n\r\n\x88\x02\x03\xe9"), "{answer:?}");
}
