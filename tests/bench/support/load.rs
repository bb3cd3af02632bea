//! A load of requests over kept-alive connections, and what came of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many clients ask at once.
const CLIENTS: usize = 16;

/// One request, as it goes over the wire.
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// A request with these headers besides, and a JSON body if there is one.
    pub fn new(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Self {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        Self { bytes: format!("{head}\r\n{}", body.unwrap_or_default()).into_bytes() }
    }
}

/// What a load did.
pub struct Outcome {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub answered: usize,
}

/// Sends requests from 16 connections for this long; `request` makes the n-th. An answer that is no success ends it all.
pub fn run(address: SocketAddr, time: Duration, request: impl Fn(usize) -> Request + Sync) -> Outcome {
    run_by(CLIENTS, address, time, request)
}

/// … from so many connections.
pub fn run_by(
    clients: usize,
    address: SocketAddr,
    time: Duration,
    request: impl Fn(usize) -> Request + Sync,
) -> Outcome {
    let number = AtomicUsize::new(0);
    let begun = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(address);
                    let mut times = Vec::new();
                    while begun.elapsed() < time {
                        let request = request(number.fetch_add(1, Ordering::Relaxed));
                        let sent = Instant::now();
                        let (status, body) = connection.ask(&request);
                        assert!((200..300).contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
                        times.push(sent.elapsed());
                    }
                    times
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
    Outcome { per_second: times.len() as f64 / seconds, p50: at(0.5), p99: at(0.99), answered: times.len() }
}

/// One request and its answer's body, from a connection of its own.
pub fn once(address: SocketAddr, request: &Request) -> (u16, Vec<u8>) {
    Connection::open(address).ask(request)
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::with_capacity(64 * 1024, stream))
    }

    fn ask(&mut self, request: &Request) -> (u16, Vec<u8>) {
        self.0.get_mut().write_all(&request.bytes).unwrap();
        let (mut status, mut length, mut line) = (0, None, String::new());
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the service closed the connection");
            let head = line.trim_end().to_ascii_lowercase();
            if head.is_empty() {
                break;
            }
            if let Some(rest) = head.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().unwrap().parse().unwrap();
            } else if let Some(rest) = head.strip_prefix("content-length:") {
                length = Some(rest.trim().parse::<usize>().unwrap());
            } else {
                assert!(!head.starts_with("transfer-encoding:"), "a stream is not measured here");
            }
        }
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).unwrap();
        (status, body)
    }
}
