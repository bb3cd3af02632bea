//! A mail server for tests: a real socket, and a manner for each letter.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How the server treats a letter.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    Takes,
    /// Answers this to `MAIL FROM`.
    RefusesSender(&'static str),
    /// Answers this to `RCPT TO`.
    RefusesRecipient(&'static str),
    /// Answers this when the letter has arrived.
    RefusesLetter(&'static str),
    /// Answers this instead of a greeting.
    Greets(&'static str),
    /// Says nothing at all, and keeps the connection.
    HangsAtGreeting,
    /// Says nothing to `RCPT TO`, and keeps the connection.
    HangsAtRecipient,
    ClosesAfterGreeting,
    ClosesInData,
}

#[derive(Default)]
struct Inside {
    /// The next manners, the next one last.
    manners: Mutex<Vec<Manner>>,
    letters: Mutex<Vec<String>>,
    commands: Mutex<Vec<String>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

/// A server, and what it has heard.
pub struct Sink {
    pub url: String,
    inside: Arc<Inside>,
}

/// What the server offers after `EHLO`.
const OFFERS: &str = "250-hello\r\n250-PIPELINING\r\n250 8BITMIME";

impl Sink {
    /// Treats its first letters in these manners, one each, and the rest like the last.
    pub fn with(manners: &[Manner]) -> Self {
        Self::offering(manners, OFFERS, |_| None)
    }

    /// One that takes one command at a time.
    pub fn step_by_step(manners: &[Manner]) -> Self {
        Self::offering(manners, "250-hello\r\n250 8BITMIME", |_| None)
    }

    /// One that treats letters by their recipient, and takes those that this says nothing of.
    pub fn by_recipient(of: impl Fn(&str) -> Option<Manner> + Send + Sync + 'static) -> Self {
        Self::offering(&[Manner::Takes], OFFERS, of)
    }

    pub fn offering(
        manners: &[Manner],
        offers: &'static str,
        of: impl Fn(&str) -> Option<Manner> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let inside = Arc::new(Inside::default());
        inside.manners.lock().unwrap().extend(manners.iter().rev());
        let (shared, of) = (Arc::clone(&inside), Arc::new(of));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (inside, of) = (Arc::clone(&shared), Arc::clone(&of));
                std::thread::spawn(move || {
                    let open = inside.open.fetch_add(1, Ordering::SeqCst) + 1;
                    inside.most_open.fetch_max(open, Ordering::SeqCst);
                    converse(&stream.unwrap(), &inside, offers, &*of);
                    inside.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, inside }
    }

    /// The letters that it took, as they came.
    pub fn letters(&self) -> Vec<String> {
        self.inside.letters.lock().unwrap().clone()
    }

    /// The commands that it heard.
    pub fn commands(&self) -> Vec<String> {
        self.inside.commands.lock().unwrap().clone()
    }

    /// How many connections there were at the same time at most.
    pub fn most_connections(&self) -> usize {
        self.inside.most_open.load(Ordering::SeqCst)
    }

    /// How often each letter came, by recipient and Message-ID.
    pub fn copies(&self) -> HashMap<(String, String), usize> {
        let mut copies = HashMap::new();
        for letter in self.letters() {
            let header = |name: &str| letter.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            *copies.entry((header("To: "), header("Message-ID: "))).or_default() += 1;
        }
        copies
    }
}

/// One connection, until either side has had enough (RFC 5321).
fn converse(stream: &TcpStream, inside: &Inside, offers: &str, of: &dyn Fn(&str) -> Option<Manner>) {
    let mut lines = BufReader::new(stream).lines();
    let say = |words: &str| (&*stream).write_all(format!("{words}\r\n").as_bytes()).is_ok();
    let close = || stream.shutdown(Shutdown::Both).unwrap_or_default();
    let next = || *inside.manners.lock().unwrap().last().unwrap();
    let done = || {
        let mut manners = inside.manners.lock().unwrap();
        if manners.len() > 1 {
            manners.pop();
        }
    };
    match next() {
        Manner::Greets(words) => {
            done();
            say(words);
            return close();
        }
        Manner::HangsAtGreeting => {
            done();
            return lines.for_each(drop);
        }
        Manner::ClosesAfterGreeting => {
            done();
            say("220 a server of the tests");
            return close();
        }
        _ => say("220 a server of the tests"),
    };
    let (mut sender, mut known, mut by_recipient) = (false, false, None);
    while let Some(Ok(line)) = lines.next() {
        inside.commands.lock().unwrap().push(line.clone());
        let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let manner = by_recipient.unwrap_or_else(next);
        match (command.as_str(), manner) {
            ("EHLO", _) => say(offers),
            ("MAIL", Manner::RefusesSender(answer)) => {
                done();
                (sender, known) = (false, false);
                say(answer);
                if answer.starts_with("421") {
                    return close();
                }
                true
            }
            ("MAIL", _) => {
                (sender, known) = (true, false);
                say("250 ok")
            }
            ("RCPT", _) if !sender => say("503 5.5.1 from whom"),
            ("RCPT", _) => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                by_recipient = of(address);
                match by_recipient.unwrap_or(manner) {
                    Manner::HangsAtRecipient => {
                        done();
                        return lines.for_each(drop);
                    }
                    Manner::RefusesRecipient(answer) => {
                        if by_recipient.take().is_none() {
                            done();
                        }
                        say(answer)
                    }
                    _ => {
                        known = true;
                        say("250 ok")
                    }
                }
            }
            ("DATA", _) if !known => say("503 5.5.1 nobody to write to"),
            ("DATA", manner) => {
                say("354 go on");
                if manner == Manner::ClosesInData {
                    done();
                    return close();
                }
                let letter: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                let answer = match manner {
                    Manner::RefusesLetter(answer) => answer,
                    _ => "250 2.0.0 kept",
                };
                if by_recipient.take().is_none() {
                    done();
                }
                known = false;
                if answer.starts_with("250") {
                    inside.letters.lock().unwrap().push(letter.join("\n"));
                }
                say(answer)
            }
            ("QUIT", _) => {
                say("221 goodbye");
                return;
            }
            _ => say("250 ok"),
        };
    }
}
