//! Letters over SMTP: a real conversation over a socket, with a server that says what the test tells it to.

use std::net::TcpListener;

use proptest::prelude::*;
use skala::kernel::{Email, Language};
use skala::mail::{Failure, Hand, Letter, OneClick, Postman, Prose, ReturnAddress};

use super::support::{Manner, Sink, tls};

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
fn letters_go_by_tls_to_a_server_whose_authority_the_operator_names() {
    for (scheme, wish, from_the_start) in [("smtps", "", true), ("smtp", "tls=required&", false)] {
        let sink = Sink::with(&[Manner::Takes]);
        let port = tls::before(&sink, from_the_start);
        let mut hand = hand(&format!("{scheme}://localhost:{port}?{wish}ca={}", tls::AUTHORITY));
        for _ in 0..2 {
            deliver(&mut hand).unwrap();
        }
        assert_eq!((sink.letters().len(), sink.most_connections()), (2, 1));
    }
}

#[test]
fn a_server_that_cannot_prove_its_name_gets_no_letter() {
    for (scheme, wish, from_the_start) in
        [("smtps", "", true), ("smtp", "tls=required&", false), ("smtp", "tls=opportunistic&", false)]
    {
        let sink = Sink::with(&[Manner::Takes]);
        let port = tls::before(&sink, from_the_start);
        let own = format!("ca={}", tls::AUTHORITY);
        // An authority that nobody knows, and a certificate for another name.
        for (host, authority) in [("localhost", ""), ("127.0.0.1", own.as_str())] {
            let failure = deliver(&mut hand(&format!("{scheme}://{host}:{port}?{wish}{authority}"))).unwrap_err();
            assert!(matches!(&failure, Failure::Away(words) if words.contains("certificate")), "{failure:?}");
        }
        assert!(sink.letters().is_empty());
    }
}

/// Words as somebody writes them who is up to something.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\r\nBcc: x@y.example\r\n",
        "\nBcc: x@y.example\n",
        "\rBcc: x@y.example\r",
        "\r\n\r\n<script>alert(1)</script>",
        "\r\n.\r\nQUIT\r\n",
        "\0",
        "\u{85}Bcc: x@y.example",
        "\u{2028}Bcc: x@y.example",
        "\u{2029}",
        "\u{202e}",
        "\u{b}\u{c}\t",
        "=?utf-8?q?=0D=0ABcc:_x=40y.example?=",
        "=?utf-8?b?DQpCY2M6IHhAeS5leGFtcGxl?=",
        "Rødgrød med fløde ",
        "\r\n--=0193f1c27a5e7c319d3e3f6a2b1c0d4eskalaexample=--\r\n",
        "\" onmouseover=\"alert(1)",
        "ord ",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()), ".{0,300}"]
}

/// What a reader sees of a header: encoded words put together (RFC 2047).
fn decoded(value: &str) -> String {
    use base64::Engine;
    let mut out = Vec::new();
    for (place, word) in value.split(' ').enumerate() {
        let parts: Vec<&str> = word.split('?').collect();
        match parts.as_slice() {
            ["=", "utf-8", "b", code, "="] => {
                out.push((true, base64::engine::general_purpose::STANDARD.decode(code).unwrap()))
            }
            _ => out.push((false, word.as_bytes().to_vec())),
        }
        // The space between two encoded words is none.
        if let [.., (before, _), (after, _)] = out.as_slice()
            && place > 0
            && !(*before && *after)
        {
            let last = out.len() - 1;
            out[last].1.insert(0, b' ');
        }
    }
    String::from_utf8(out.into_iter().flat_map(|(_, bytes)| bytes).collect()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_words_of_anybody_become_a_header_a_part_or_a_tag(
        subject in hostile(), title in hostile(), name in hostile(), place in hostile(), reason in hostile(),
        url in hostile(), small in hostile(), listed in any::<bool>()
    ) {
        let server = Sink::with(&[Manner::Takes]);
        let prose = Prose::default().heading(title).paragraph(reason.clone()).fact(name.clone(), place.clone());
        let prose = prose.item(place).link(name, url).small(small);
        let mut letter = Letter::new(&Email::parse("ane@firma.example").unwrap(), Language::Da, subject.clone(), prose);
        let mut expected = vec!["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"];
        if listed {
            let unsubscribe_url = "https://skala.example/api/v1/unsubscribe/abc".to_owned();
            letter.one_click = Some(OneClick { unsubscribe_url, list_id: "dialogues.skala.example".to_owned() });
            expected.extend(["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"]);
        }
        expected.extend(["MIME-Version", "Content-Type"]);
        let id = "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e";
        hand(&server.url).deliver(&letter, id, "2026-11-22T08:00:00Z".parse().unwrap()).unwrap();
        let letters = server.letters();
        prop_assert_eq!(letters.len(), 1, "one letter, and not one that another begins in");
        let (head, body) = letters[0].split_once("\n\n").unwrap();
        prop_assert!(letters[0].is_ascii() && !letters[0].contains(['\0', '\r']), "{:?}", letters[0]);
        let names: Vec<&str> =
            head.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect();
        prop_assert_eq!(names, expected);
        let unfolded = head.replace("\n ", " ");
        let had = unfolded.lines().find_map(|line| line.strip_prefix("Subject:")).unwrap().trim();
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let meant = subject.chars().map(|c| if breaks(c) { ' ' } else { c }).collect::<String>();
        // Readers see the subject as it was written, and nothing that hides in it; folding may take spaces at its ends.
        let bare = |words: &str| words.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(bare(&decoded(had)), bare(&meant));
        let boundary = format!("--={}skalaexample=", id.replace('-', ""));
        prop_assert_eq!(body.lines().filter(|line| line.starts_with(&boundary)).count(), 3, "two parts and the end");
        let html = body.split("text/html").nth(1).unwrap().replace("=\n", "");
        for tag in ["<script", "<img", "\" onmouseover=3D\"alert"] {
            prop_assert!(!html.contains(tag), "{html}");
        }
    }
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
