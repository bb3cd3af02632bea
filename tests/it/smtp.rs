//! Letters over SMTP: a real conversation over a socket, with a server that says what the test tells it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use skala::kernel::{Email, Language};
use skala::mail::{Failure, Letter, OneClick, Postman, Prose};

/// How the server treats a letter.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Takes,
    /// Answers this to `RCPT TO`.
    RefusesRecipient(&'static str),
    /// Answers this when the letter has arrived.
    RefusesLetter(&'static str),
    ClosesAfterGreeting,
    ClosesInData,
}

/// A server, and what it has heard.
struct Server {
    url: String,
    letters: Arc<Mutex<Vec<String>>>,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Treats its first letters in these manners, one each, and the rest like the last.
    fn with(manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (letters, commands) = (Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let server = Self { url, letters: Arc::clone(&letters), commands: Arc::clone(&commands) };
        let mut manners = manners.to_vec();
        manners.reverse();
        let next = Arc::new(Mutex::new(manners));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (next, letters, commands) = (Arc::clone(&next), Arc::clone(&letters), Arc::clone(&commands));
                std::thread::spawn(move || converse(&stream.unwrap(), &next, &letters, &commands));
            }
        });
        server
    }

    fn postman(&self) -> Postman {
        Postman::smtp(&self.url, "Skala <skala@skala.example>".parse().unwrap(), "skala.example").unwrap()
    }

    fn letters(&self) -> Vec<String> {
        self.letters.lock().unwrap().clone()
    }
}

/// One connection, until either side has had enough (RFC 5321).
fn converse(
    stream: &TcpStream,
    manners: &Mutex<Vec<Manner>>,
    letters: &Mutex<Vec<String>>,
    heard: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(stream).lines();
    let say = |words: &str| (&*stream).write_all(format!("{words}\r\n").as_bytes()).is_ok();
    let manner = || *manners.lock().unwrap().last().unwrap();
    let done = || {
        let mut manners = manners.lock().unwrap();
        if manners.len() > 1 {
            manners.pop();
        }
    };
    say("220 a server of the tests");
    if manner() == Manner::ClosesAfterGreeting {
        done();
        return stream.shutdown(Shutdown::Both).unwrap_or_default();
    }
    while let Some(Ok(line)) = lines.next() {
        heard.lock().unwrap().push(line.clone());
        let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match (command.as_str(), manner()) {
            ("EHLO", _) => say("250-hello\r\n250 8BITMIME"),
            ("RCPT", Manner::RefusesRecipient(answer)) => {
                done();
                say(answer)
            }
            ("DATA", manner) => {
                say("354 go on");
                if manner == Manner::ClosesInData {
                    done();
                    return stream.shutdown(Shutdown::Both).unwrap_or_default();
                }
                let letter = lines.by_ref().map(Result::unwrap).take_while(|line| line != ".");
                let letter = letter.collect::<Vec<_>>().join("\n");
                done();
                if let Manner::RefusesLetter(answer) = manner {
                    say(answer)
                } else {
                    letters.lock().unwrap().push(letter);
                    say("250 2.0.0 kept")
                }
            }
            ("QUIT", _) => {
                say("221 goodbye");
                return;
            }
            _ => say("250 ok"),
        };
    }
}

fn letter() -> Letter {
    let to = Email::parse("ane@firma.example").unwrap();
    let prose = Prose::default().heading("Ny markedsdialog").paragraph("Blåbærgrød\n.\nfra Ærø");
    let mut letter = Letter::new(&to, Language::Da, "Ny markedsdialog: rødgrød", prose);
    let unsubscribe_url = "https://skala.example/api/v1/unsubscribe/abc".to_owned();
    letter.one_click = Some(OneClick { unsubscribe_url, list_id: "dialogue.skala.example".to_owned() });
    letter
}

fn deliver(postman: &Postman) -> Result<String, Failure> {
    postman.deliver(&letter(), "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "2026-11-22T08:00:00Z".parse().unwrap())
}

#[test]
fn a_letter_arrives_whole() {
    let server = Server::with(&[Manner::Takes]);
    let answer = deliver(&server.postman()).unwrap();
    assert!(answer.starts_with("250") && answer.contains("kept"), "{answer}");
    let letters = server.letters();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    for line in [
        "From: Skala <skala@skala.example>",
        "To: ane@firma.example",
        "Message-ID: <0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e@skala.example>",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe: <https://skala.example/api/v1/unsubscribe/abc>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Date: Sun, 22 Nov 2026 08:00:00 +0000",
        // A line of one dot would end the letter; it travels doubled.
        "..",
    ] {
        assert!(letter.lines().any(|had| had == line), "{line}\n{letter}");
    }
    assert!(letter.contains("Bl=C3=A5b=C3=A6rgr=C3=B8d"));
    let commands = server.commands.lock().unwrap().clone();
    assert!(commands.iter().any(|heard| heard.starts_with("MAIL FROM:<skala@skala.example>")), "{commands:?}");
    assert!(commands.iter().any(|heard| heard.starts_with("RCPT TO:<ane@firma.example>")), "{commands:?}");
}

#[test]
fn one_connection_carries_many_letters() {
    let server = Server::with(&[Manner::Takes]);
    let postman = server.postman();
    for _ in 0..3 {
        deliver(&postman).unwrap();
    }
    assert_eq!(server.letters().len(), 3);
    let greetings = server.commands.lock().unwrap().iter().filter(|heard| heard.starts_with("EHLO")).count();
    assert_eq!(greetings, 1);
}

#[test]
fn a_refusal_for_now_may_be_tried_again() {
    for manner in [
        Manner::RefusesRecipient("450 4.2.1 the mailbox is busy"),
        Manner::RefusesLetter("451 4.3.0 no room just now"),
        Manner::RefusesRecipient("421 4.3.2 shutting down"),
    ] {
        let server = Server::with(&[manner, Manner::Takes]);
        let postman = server.postman();
        let failure = deliver(&postman).unwrap_err();
        assert!(!failure.for_good, "{failure:?}");
        assert!(server.letters().is_empty());
        deliver(&postman).unwrap();
        assert_eq!(server.letters().len(), 1);
    }
}

#[test]
fn a_refusal_for_good_says_what_the_server_said() {
    for manner in [
        Manner::RefusesRecipient("550 5.1.1 no such mailbox"),
        Manner::RefusesLetter("554 5.7.1 no such mailbox for us"),
    ] {
        let server = Server::with(&[manner, Manner::Takes]);
        let postman = server.postman();
        let failure = deliver(&postman).unwrap_err();
        assert!(failure.for_good, "{failure:?}");
        assert!(failure.answer.contains("no such mailbox"), "{failure:?}");
        deliver(&postman).unwrap();
    }
}

#[test]
fn a_connection_that_breaks_is_a_refusal_for_now() {
    for manner in [Manner::ClosesAfterGreeting, Manner::ClosesInData] {
        let server = Server::with(&[manner, Manner::Takes]);
        let postman = server.postman();
        let failure = deliver(&postman).unwrap_err();
        assert!(!failure.for_good, "{failure:?}");
        deliver(&postman).unwrap();
        assert_eq!(server.letters().len(), 1);
    }
}

#[test]
fn a_server_that_is_not_there_is_a_refusal_for_now() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("smtp://{free}");
    let postman = Postman::smtp(&url, "skala@skala.example".parse().unwrap(), "skala.example").unwrap();
    assert!(!deliver(&postman).unwrap_err().for_good);
}

#[test]
fn a_server_without_tls_gets_no_letter_when_tls_is_required() {
    let server = Server::with(&[Manner::Takes]);
    let url = format!("{}?tls=required", server.url);
    let postman = Postman::smtp(&url, "skala@skala.example".parse().unwrap(), "skala.example").unwrap();
    deliver(&postman).unwrap_err();
    assert!(server.letters().is_empty());
}

#[test]
fn an_address_that_is_no_server_is_refused_at_the_start() {
    for url in ["", "localhost:25", "http://localhost", "smtp://"] {
        assert!(Postman::smtp(url, "skala@skala.example".parse().unwrap(), "skala.example").is_err(), "{url}");
    }
}
