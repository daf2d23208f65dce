//! How links end, over real sockets and byte by byte: what the Autobahn test suite looks at, and some that it does not.
#![cfg(not(feature = "simulated"))]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use distribus_net::bare::{self, Bare, Said};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: u8 = 0x80;

fn local() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn echo(link: &Bare, said: Said) {
    link.say(&said);
}

/// Reads until the end of an HTTP head.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("text")
}

/// A frame of a client, with a mask of zeros, which changes nothing.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, MASK | payload.len() as u8, 0, 0, 0, 0];
    bytes.extend(payload);
    bytes
}

/// The frames, without their masks.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let (mask, rest) = if length & MASK == 0 {
            (&[0; 4][..], rest)
        } else {
            rest.split_at(4)
        };
        let (payload, rest) = rest.split_at(usize::from(length & !MASK));
        let payload = payload.iter().zip(mask.iter().cycle());
        frames.push((*first, payload.map(|(byte, mask)| byte ^ mask).collect()));
        bytes = rest;
    }
    frames
}

/// Says that to a server that says everything back. Gives what it answers until it ends the connection.
fn tell_server(bytes: &[u8], with_the_head: bool) -> Vec<(u8, Vec<u8>)> {
    let at = bare::listen(local(), echo).expect("a port");
    let mut stream = TcpStream::connect(at).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    if with_the_head {
        let together = [request.as_bytes(), bytes].concat();
        stream.write_all(&together).expect("written");
        assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));
    } else {
        stream.write_all(request.as_bytes()).expect("written");
        assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));
        stream.write_all(bytes).expect("written");
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the end");
    frames(&answer)
}

/// Is dialled, and says that together with its answer to the handshake. Gives what comes back until the client ends the connection.
fn tell_client(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let listener = TcpListener::bind(local()).expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let client = thread::spawn(move || bare::dial(&url, echo));
    let (mut stream, _) = listener.accept().expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket");
    let request = head(&mut stream);
    let key = request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, key)| key)
        .expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let together = [response.as_bytes(), bytes].concat();
    stream.write_all(&together).expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the end");
    let ended = client.join().expect("no panic");
    ended.expect("a link");
    frames(&answer)
}

const CLOSE_1001: [u8; 2] = [3, 0xe9];
const CLOSE_1002: [u8; 2] = [3, 0xea];

fn text_then_close_code(code: [u8; 2]) -> Vec<(u8, Vec<u8>)> {
    vec![(0x81, b"first".to_vec()), (0x88, code.to_vec())]
}

#[test]
fn a_server_answers_what_came_before_a_close_frame() {
    let bytes = [masked(0x81, b"first"), masked(0x88, &CLOSE_1001)].concat();
    for with_the_head in [false, true] {
        let answer = tell_server(&bytes, with_the_head);
        assert_eq!(answer, text_then_close_code(CLOSE_1001));
    }
}

#[test]
fn a_server_answers_what_came_before_a_fault() {
    // The second text has a reserved bit, the ping after it comes too late.
    let bytes = [
        masked(0x81, b"first"),
        masked(0xa1, b"second"),
        masked(0x89, b""),
    ];
    for with_the_head in [false, true] {
        let answer = tell_server(&bytes.concat(), with_the_head);
        assert_eq!(answer, text_then_close_code(CLOSE_1002));
    }
}

#[test]
fn a_client_answers_what_came_before_a_close_frame() {
    let answer = tell_client(b"\x81\x05first\x88\x02\x03\xe9");
    assert_eq!(answer, text_then_close_code(CLOSE_1001));
}

#[test]
fn a_client_answers_what_came_before_a_fault() {
    let answer = tell_client(b"\x81\x05first\xa1\x06second\x89\x00");
    assert_eq!(answer, text_then_close_code(CLOSE_1002));
}

#[test]
fn nothing_counts_after_a_close_frame() {
    let late = [
        masked(0x88, &CLOSE_1001),
        masked(0x81, b"late"),
        masked(0x89, b""),
    ];
    let answer = tell_server(&late.concat(), false);
    assert_eq!(answer, [(0x88, CLOSE_1001.to_vec())]);
    let answer = tell_client(b"\x88\x02\x03\xe9\x81\x04late\x89\x00");
    assert_eq!(answer, [(0x88, CLOSE_1001.to_vec())]);
}
