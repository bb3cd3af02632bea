//! Letters over SMTP: a real conversation over a socket, with a server that says what the test tells it to.

use std::net::TcpListener;

use skala::kernel::{Email, Language};
use skala::mail::{Failure, Hand, Letter, OneClick, Postman, Prose, ReturnAddress};

use super::support::{Manner, Sink};

fn hand(url: &str) -> Hand {
    postman(url).hand()
}

fn postman(url: &str) -> Postman {
    Postman::smtp(url, "Skala <skala@skala.example>".parse().unwrap(), "skala.example").unwrap()
}

fn letter_to(address: &str) -> Letter {
    let to = Email::parse(address).unwrap();
    let prose = Prose::default().heading("Ny markedsdialog").paragraph("Blåbærgrød\n.\nfra Ærø");
    let mut letter = Letter::new(&to, Language::Da, "Ny markedsdialog: rødgrød", prose);
    let unsubscribe_url = "https://skala.example/api/v1/unsubscribe/abc".to_owned();
    letter.one_click = Some(OneClick { unsubscribe_url, list_id: "dialogue.skala.example".to_owned() });
    letter
}

fn deliver(hand: &mut Hand) -> Result<String, Failure> {
    deliver_to(hand, "ane@firma.example")
}

fn deliver_to(hand: &mut Hand, address: &str) -> Result<String, Failure> {
    let id = "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e";
    hand.deliver(&letter_to(address), id, "2026-11-22T08:00:00Z".parse().unwrap())
}

#[test]
fn a_letter_arrives_whole() {
    for server in [Sink::with(&[Manner::Takes]), Sink::step_by_step(&[Manner::Takes])] {
        let answer = deliver(&mut hand(&server.url)).unwrap();
        assert_eq!(answer, "250 2.0.0 kept");
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
        let commands = server.commands();
        assert!(commands.iter().any(|heard| heard.starts_with("MAIL FROM:<skala@skala.example>")), "{commands:?}");
        assert!(commands.iter().any(|heard| heard.starts_with("RCPT TO:<ane@firma.example>")), "{commands:?}");
    }
}

#[test]
fn the_same_letter_is_the_same_to_the_last_character() {
    let server = Sink::with(&[Manner::Takes]);
    deliver(&mut hand(&server.url)).unwrap();
    deliver(&mut hand(&server.url)).unwrap();
    let letters = server.letters();
    assert_eq!(letters[0], letters[1]);
}

#[test]
fn one_connection_carries_many_letters() {
    let server = Sink::with(&[Manner::Takes]);
    let mut hand = hand(&server.url);
    for _ in 0..3 {
        deliver(&mut hand).unwrap();
    }
    assert_eq!((server.letters().len(), server.most_connections()), (3, 1));
}

#[test]
fn a_server_that_hung_up_between_two_letters_is_called_again_at_once() {
    let server =
        Sink::with(&[Manner::Takes, Manner::RefusesSender("421 4.7.0 enough for one connection"), Manner::Takes]);
    let mut hand = hand(&server.url);
    deliver(&mut hand).unwrap();
    deliver(&mut hand).unwrap();
    assert_eq!(server.letters().len(), 2);
}

#[test]
fn a_refusal_for_now_may_be_tried_again() {
    for manner in
        [Manner::RefusesRecipient("450 4.2.1 the mailbox is busy"), Manner::RefusesLetter("451 4.3.0 no room just now")]
    {
        for server in [Sink::with(&[manner, Manner::Takes]), Sink::step_by_step(&[manner, Manner::Takes])] {
            let mut hand = hand(&server.url);
            let failure = deliver(&mut hand).unwrap_err();
            assert!(matches!(failure, Failure::ForNow(_)), "{failure:?}");
            assert!(server.letters().is_empty());
            deliver(&mut hand).unwrap();
            assert_eq!((server.letters().len(), server.most_connections()), (1, 1));
        }
    }
}

#[test]
fn a_refusal_for_good_says_what_the_server_said() {
    for manner in [
        Manner::RefusesRecipient("550 5.1.1 no such mailbox"),
        Manner::RefusesLetter("554 5.7.1 no such mailbox for us"),
    ] {
        for server in [Sink::with(&[manner, Manner::Takes]), Sink::step_by_step(&[manner, Manner::Takes])] {
            let mut hand = hand(&server.url);
            let failure = deliver(&mut hand).unwrap_err();
            assert!(matches!(&failure, Failure::ForGood(answer) if answer.contains("no such mailbox")), "{failure:?}");
            deliver(&mut hand).unwrap();
        }
    }
}

#[test]
fn what_would_meet_every_letter_is_the_servers_fault() {
    for manner in [
        Manner::Greets("421 4.3.2 too many connections"),
        Manner::Greets("554 5.3.2 no service here"),
        Manner::ClosesAfterGreeting,
        Manner::HangsAtGreeting,
        Manner::RefusesSender("550 5.7.1 this sender may not"),
        Manner::RefusesSender("452 4.3.1 the disk is full"),
        Manner::RefusesRecipient("421 4.3.2 shutting down"),
    ] {
        let server = Sink::with(&[manner, Manner::Takes]);
        let mut hand = hand(&format!("{}?timeout=1", server.url));
        let failure = deliver(&mut hand).unwrap_err();
        assert!(matches!(failure, Failure::Away(_)), "{failure:?}");
        deliver(&mut hand).unwrap();
        assert_eq!(server.letters().len(), 1);
    }
}

#[test]
fn a_connection_that_breaks_or_hangs_over_a_letter_is_a_refusal_for_now() {
    for manner in [Manner::ClosesInData, Manner::HangsAtRecipient] {
        let server = Sink::with(&[manner, Manner::Takes]);
        let mut hand = hand(&format!("{}?timeout=1", server.url));
        let failure = deliver(&mut hand).unwrap_err();
        assert!(matches!(failure, Failure::ForNow(_)), "{failure:?}");
        deliver(&mut hand).unwrap();
        assert_eq!(server.letters().len(), 1);
    }
}

#[test]
fn a_server_that_is_not_there_is_away() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = deliver(&mut hand(&format!("smtp://{free}"))).unwrap_err();
    assert!(matches!(failure, Failure::Away(_)), "{failure:?}");
}

#[test]
fn a_server_without_tls_gets_no_letter_when_tls_is_required() {
    let server = Sink::with(&[Manner::Takes]);
    let failure = deliver(&mut hand(&format!("{}?tls=required", server.url))).unwrap_err();
    assert!(matches!(failure, Failure::Away(_)), "{failure:?}");
    assert!(server.letters().is_empty());
    deliver(&mut hand(&format!("{}?tls=opportunistic", server.url))).unwrap();
}

#[test]
fn danish_letters_in_an_address_are_carried_or_refused_in_clear_words() {
    let plain = Sink::with(&[Manner::Takes]);
    let mut to_plain = hand(&plain.url);
    // A domain has a spelling that every server takes.
    deliver_to(&mut to_plain, "ane@økøb.dk").unwrap();
    assert!(plain.letters()[0].contains("To: ane@xn--kb-kkab.dk"), "{}", plain.letters()[0]);
    let failure = deliver_to(&mut to_plain, "søren@økøb.dk").unwrap_err();
    assert!(matches!(&failure, Failure::ForGood(words) if words.contains("SMTPUTF8")), "{failure:?}");
    deliver_to(&mut to_plain, "ane@økøb.dk").unwrap();

    let able =
        Sink::offering(&[Manner::Takes], "250-hello\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 8BITMIME", |_| None);
    deliver_to(&mut hand(&able.url), "søren@økøb.dk").unwrap();
    let commands = able.commands();
    assert!(commands.iter().any(|heard| heard.ends_with("SMTPUTF8 BODY=8BITMIME")), "{commands:?}");
    assert!(commands.contains(&"RCPT TO:<søren@xn--kb-kkab.dk>".to_owned()), "{commands:?}");
}

#[test]
fn plus_signs_and_long_addresses_arrive_as_they_are() {
    let server = Sink::with(&[Manner::Takes]);
    let long = format!("{}@{}.example", "a".repeat(64), ["b".repeat(60), "c".repeat(60), "d".repeat(59)].join("."));
    assert_eq!(long.len(), 254);
    for address in ["ane+skala@firma.example", long.as_str()] {
        deliver_to(&mut hand(&server.url), address).unwrap();
        assert!(server.commands().contains(&format!("RCPT TO:<{address}>")), "{:?}", server.commands());
    }
}

#[test]
fn undeliverable_mail_comes_back_to_an_address_that_names_the_letter() {
    let server = Sink::with(&[Manner::Takes]);
    let back = ReturnAddress::new(Email::parse("bounce@skala.example").unwrap());
    deliver(&mut postman(&server.url).returning_to(Some(back)).hand()).unwrap();
    let from = "MAIL FROM:<bounce+0193f1c27a5e7c319d3e3f6a2b1c0d4e@skala.example>";
    assert!(server.commands().contains(&from.to_owned()), "{:?}", server.commands());
}

#[test]
fn an_address_that_is_no_server_is_refused_at_the_start() {
    for url in ["", "localhost:25", "http://localhost", "smtp://"] {
        assert!(Postman::smtp(url, "skala@skala.example".parse().unwrap(), "skala.example").is_err(), "{url}");
    }
}
