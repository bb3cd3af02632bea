//! TLS in front of a mail server for tests, with a certificate for `localhost` that an authority of the tests signed.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Sink;

/// The authority, as an operator names it.
pub const AUTHORITY: &str = "tests/it/tls/ca.pem";

/// Speaks TLS with this server's clients, from the start or when they ask for it; returns the port.
pub fn before(sink: &Sink, from_the_start: bool) -> u16 {
    let certificate = CertificateDer::from_pem_file("tests/it/tls/server.pem").unwrap();
    let key = PrivateKeyDer::from_pem_file("tests/it/tls/server.key").unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = sink.url.strip_prefix("smtp://").unwrap().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (config, behind) = (Arc::clone(&config), behind.clone());
            std::thread::spawn(move || {
                let (client, server) = (client.unwrap(), TcpStream::connect(behind).unwrap());
                if !from_the_start {
                    ask_for_it(&client);
                    // The greeting was given in plain.
                    BufReader::new(&server).read_line(&mut String::new()).unwrap();
                }
                carry(StreamOwned::new(ServerConnection::new(config).unwrap(), client), &server);
            });
        }
    });
    port
}

/// Greets, offers STARTTLS alone, and goes as far as the client's wish for it (RFC 3207).
fn ask_for_it(client: &TcpStream) {
    let say = |words: &str| (&*client).write_all(format!("{words}\r\n").as_bytes()).unwrap_or_default();
    say("220 a server of the tests");
    for line in BufReader::new(client).lines().map_while(Result::ok) {
        match line.split(' ').next() {
            Some("EHLO") => say("250-hello\r\n250 STARTTLS"),
            Some("STARTTLS") => return say("220 go ahead"),
            _ => say("530 5.7.0 not in plain"),
        }
    }
}

/// Carries what either says to the other, until one has hung up.
fn carry(mut client: StreamOwned<ServerConnection, TcpStream>, mut server: &TcpStream) {
    for side in [&client.sock, server] {
        side.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    }
    let mut buffer = [0; 16_384];
    let waits = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    loop {
        let done = match client.read(&mut buffer) {
            Ok(0) => true,
            Ok(count) => server.write_all(&buffer[..count]).is_err(),
            Err(error) => !waits(&error),
        };
        let over = match server.read(&mut buffer) {
            Ok(0) => true,
            Ok(count) => client.write_all(&buffer[..count]).and_then(|()| client.flush()).is_err(),
            Err(error) => !waits(&error),
        };
        if done || over {
            return;
        }
    }
}
