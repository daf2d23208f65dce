//! Both ends of a WebSocket without JavaScript, each a process: what is left when nothing but the network costs anything.
//! Commands come in on stdin, a line each, `<id> <command> <argument>…`; each is answered by a line of JSON on stdout.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

type Failure = Box<dyn Error + Send + Sync>;

const MAX_MESSAGES: usize = 256;
const MAX_LENGTH: usize = 64 * 1024;

/// The messages, all different, as the JavaScript side makes its own.
fn pool(size: usize) -> Vec<Bytes> {
    (1000..2000)
        .map(|number| Bytes::from(format!("{number:x<size$}")))
        .collect()
}

#[derive(Default)]
struct Arrivals {
    expected: AtomicU64,
    received: AtomicU64,
    wrong: AtomicU64,
    complete: Notify,
}

/// Takes frames of messages, each with its length before it, and answers with the number of all that came so far.
async fn receive(stream: TcpStream, size: usize, arrivals: Arc<Arrivals>) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut socket = accept_async(stream).await?;
    let pool = pool(size);
    while let Some(frame) = socket.next().await {
        let mut data = frame?.into_data();
        while data.len() >= 4 {
            let length = data.split_to(4);
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
            if length > data.len() {
                return Err("a message is cut off".into());
            }
            let message = data.split_to(length);
            let index = arrivals.received.fetch_add(1, Ordering::Relaxed);
            if message != pool[index as usize % pool.len()] {
                arrivals.wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
        let received = arrivals.received.load(Ordering::Relaxed);
        socket
            .send(Message::binary(received.to_be_bytes().to_vec()))
            .await?;
        if received == arrivals.expected.load(Ordering::Relaxed) {
            arrivals.complete.notify_one();
        }
    }
    Ok(())
}

struct Sender {
    socket: WebSocketStream<TcpStream>,
    pool: Vec<Bytes>,
    one_by_one: bool,
}

impl Sender {
    async fn connect(address: &str, size: usize, workload: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = client_async(format!("ws://{address}"), stream).await?;
        Ok(Self {
            socket,
            pool: pool(size),
            one_by_one: workload == "round-trip",
        })
    }

    /// Sends messages until the last is acknowledged, and gives the seconds that it took.
    async fn run(&mut self, n: usize) -> Result<f64, Failure> {
        let start = Instant::now();
        let pool = &self.pool;
        if self.one_by_one {
            for i in 0..n {
                let (frame, _) = batch(pool, i, 1);
                self.socket.send(Message::binary(frame)).await?;
                acknowledged(&mut self.socket).await?;
            }
        } else {
            let (mut write, mut read) = (&mut self.socket).split();
            let writing = async {
                let mut sent = 0;
                while sent < n {
                    let (frame, count) = batch(pool, sent, n - sent);
                    write.send(Message::binary(frame)).await?;
                    sent += count;
                }
                Ok::<_, Failure>(())
            };
            let reading = async {
                while acknowledged(&mut read).await? < n as u64 {}
                Ok::<_, Failure>(())
            };
            tokio::try_join!(writing, reading)?;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}

/// One frame of the messages from `first` on, and how many are in it.
fn batch(pool: &[Bytes], first: usize, most: usize) -> (Bytes, usize) {
    let mut frame = BytesMut::new();
    let mut count = 0;
    while count < most.min(MAX_MESSAGES) && frame.len() < MAX_LENGTH {
        let message = &pool[(first + count) % pool.len()];
        frame.put_u32(message.len() as u32);
        frame.put_slice(message);
        count += 1;
    }
    (frame.freeze(), count)
}

async fn acknowledged<S>(read: &mut S) -> Result<u64, Failure>
where
    S: StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    let data = read
        .next()
        .await
        .ok_or("the connection has closed")??
        .into_data();
    Ok(u64::from_be_bytes(data.as_ref().try_into()?))
}

/// The CPU time of this process, which has one thread, as Node gives it; null where the system does not tell.
fn cpu() -> String {
    std::fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .map_or("null".into(), |nanos| {
            format!(r#"{{"user":{},"system":0}}"#, nanos / 1000)
        })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arrivals = Arc::new(Arrivals::default());
    let mut sender = None;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        let result = match words[1..] {
            ["receiver", size] => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                let address = listener.local_addr()?;
                let (size, arrivals) = (size.parse()?, arrivals.clone());
                tokio::spawn(async move {
                    let served = async {
                        let (stream, _) = listener.accept().await?;
                        receive(stream, size, arrivals).await
                    };
                    if let Err(error) = served.await {
                        eprintln!("{error}");
                        std::process::exit(1);
                    }
                });
                format!(r#"["{address}"]"#)
            }
            ["expect", n] => {
                arrivals.expected.store(n.parse()?, Ordering::Relaxed);
                arrivals.received.store(0, Ordering::Relaxed);
                cpu()
            }
            ["arrived"] => {
                arrivals.complete.notified().await;
                format!(r#"{{"lastAt":0,"cpu":{}}}"#, cpu())
            }
            ["state"] => {
                let wrong = match arrivals.wrong.load(Ordering::Relaxed) {
                    0 => "null".into(),
                    count => format!(r#""{count} messages""#),
                };
                format!(
                    r#"{{"received":{},"wrong":{wrong}}}"#,
                    arrivals.received.load(Ordering::Relaxed)
                )
            }
            ["sender", address, size, workload] => {
                sender = Some(Sender::connect(address, size.parse()?, workload).await?);
                "null".into()
            }
            ["run", n] => {
                let before = cpu();
                let seconds = sender
                    .as_mut()
                    .ok_or("not connected")?
                    .run(n.parse()?)
                    .await?;
                format!(
                    r#"{{"cpuAtStart":{before},"cpu":{},"start":0,"end":{seconds}}}"#,
                    cpu()
                )
            }
            _ => return Err(format!("unknown command: {line}").into()),
        };
        println!(r#"{{"id":{},"result":{result}}}"#, words[0]);
    }
    Ok(())
}
