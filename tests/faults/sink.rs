//! A mail server that counts what it is given, and is in the mood that a scenario puts it into.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq)]
pub enum Mood {
    Takes,
    /// Answers 451 to every letter: later, perhaps.
    Later,
    /// Hangs up in the middle of every letter.
    HangsUp,
    /// Takes its time over every letter.
    Slow(Duration),
}

#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    mood: Arc<Mutex<Mood>>,
    /// How often each address was given a letter.
    given: Arc<Mutex<HashMap<String, usize>>>,
}

impl Sink {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self {
            port: listener.local_addr().unwrap().port(),
            mood: Arc::new(Mutex::new(Mood::Takes)),
            given: Arc::default(),
        };
        let inside = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sink = inside.clone();
                std::thread::spawn(move || sink.converse(&stream));
            }
        });
        sink
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How many addresses were given a letter, and how many letters were given twice.
    pub fn count(&self) -> (usize, usize) {
        let given = self.given.lock().unwrap();
        (given.len(), given.values().map(|times| times - 1).sum())
    }

    fn converse(&self, stream: &TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream).lines();
        let say = |words: &str| (&*stream).write_all(format!("{words}\r\n").as_bytes()).ok();
        say("220 a server of the suite")?;
        let mut to = String::new();
        while let Some(Ok(line)) = lines.next() {
            let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            match command.as_str() {
                "EHLO" => say("250-hello\r\n250 8BITMIME")?,
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    say("250 ok")?;
                }
                "DATA" => {
                    let mood = *self.mood.lock().unwrap();
                    say("354 go on")?;
                    if mood == Mood::HangsUp {
                        return None;
                    }
                    while lines.next()?.ok()? != "." {}
                    if let Mood::Slow(long) = mood {
                        std::thread::sleep(long);
                    }
                    if mood == Mood::Later {
                        say("451 4.3.0 later, perhaps")?;
                    } else {
                        *self.given.lock().unwrap().entry(to.clone()).or_default() += 1;
                        say("250 2.0.0 kept")?;
                    }
                }
                "QUIT" => return say("221 goodbye"),
                _ => say("250 ok")?,
            }
        }
        None
    }
}
