//! One message to one address, and its form as a MIME message (RFC 5322, RFC 2045).

use std::str::FromStr;

use base64::Engine;
use lettre::address::AddressError;
use lettre::message::header::{self, ContentTransferEncoding, Header, HeaderName, HeaderValue, Headers};
use lettre::message::{Body, Mailbox as Address, Mailboxes};
use serde::{Deserialize, Serialize};

use super::Prose;
use super::prose::Spelled;
use crate::kernel::{Email, Instant, Language};

/// A letter, ready to be posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub to: String,
    pub language: Language,
    pub subject: String,
    pub prose: Prose,
    /// For letters somebody subscribed to: how to stop them with one click.
    pub one_click: Option<OneClick>,
}

/// What `List-Unsubscribe` (RFC 2369, RFC 8058) and `List-Id` (RFC 2919) say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneClick {
    pub unsubscribe_url: String,
    pub list_id: String,
}

/// How the words of a message are spelled out in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Quoted-printable: what every mail server carries unharmed.
    ForServers,
    /// As they are, so that a file can be read and searched without a mail program.
    ForReaders,
}

/// Whom letters come from.
#[derive(Clone, Debug)]
pub struct Sender {
    address: Address,
    /// The `From:` of every letter.
    header: HeaderValue,
}

impl Sender {
    /// The address alone.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.email.to_string()
    }

    /// What stands after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.email.domain()
    }
}

impl FromStr for Sender {
    type Err = AddressError;
    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let address: Address = written.parse()?;
        let header = header::From::from(Mailboxes::from(address.clone())).display();
        Ok(Self { address, header })
    }
}

impl Letter {
    /// A letter to somebody, in their language.
    #[must_use]
    pub fn new(to: &Email, language: Language, subject: impl Into<String>, prose: Prose) -> Self {
        Self { to: to.as_str().to_owned(), language, subject: subject.into(), prose, one_click: None }
    }

    /// The address as it travels.
    #[must_use]
    pub fn mailbox(&self) -> String {
        on_the_wire(&self.to)
    }

    /// The message as it goes over the wire, spelled out piece by piece: what many letters say alike is copied as it is.
    /// `message_id` is the delivery's: a repeated letter carries it again, so that a mailbox can tell that it is the same.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn written(
        &self,
        from: &Sender,
        message_id: &str,
        date: Instant,
        spelling: Spelling,
    ) -> Result<String, AddressError> {
        let to = Address::new(None, self.mailbox().parse()?);
        // The same letter is the same to the last character, however often it goes.
        let boundary: String = message_id.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let mut headers = Headers::new();
        headers.insert_raw(from.header.clone());
        headers.set(header::To::from(Mailboxes::from(to)));
        headers.insert_raw(subject(&self.subject));
        headers.set(header::Date::from(std::time::SystemTime::from(date)));
        headers.insert_raw(raw("Message-ID", format!("<{message_id}>")));
        // RFC 3834: no holiday replies to a machine.
        headers.insert_raw(raw("Auto-Submitted", "auto-generated".to_owned()));
        if let Some(one_click) = &self.one_click {
            headers.insert_raw(raw("List-Unsubscribe", format!("<{}>", one_click.unsubscribe_url)));
            headers.insert_raw(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
            headers.insert_raw(raw("List-Id", format!("<{}>", one_click.list_id)));
        }
        headers.insert_raw(raw("MIME-Version", "1.0".to_owned()));
        let mut message =
            format!("{headers}Content-Type: multipart/alternative;\r\n boundary=\"={boundary}=\"\r\n\r\n");
        let mut part = |kind, words: [&str; 2], common: Option<&Spelled>| {
            message.push_str(&format!("--={boundary}=\r\nContent-Type: text/{kind}; charset=utf-8\r\n"));
            add_body(&mut message, words, common, spelling);
            message.push_str("\r\n");
        };
        let (common, own) = self.prose.text_parts();
        part("plain", ["", &own], common);
        let (head, common, own) = self.prose.html_parts(self.language.tag(), &self.subject);
        part("html", [&head, &own], common);
        message.push_str(&format!("--={boundary}=--\r\n"));
        Ok(message)
    }
}

/// Adds words as they are spelled, those in common between the two that are not, behind the header that says how.
fn add_body(message: &mut String, [head, own]: [&str; 2], common: Option<&Spelled>, spelling: Spelling) {
    let readable = || [head, common.map_or("", |common| common.words.as_str()), own].concat();
    // RFC 5322 § 2.1.1: no line is longer than 998 characters.
    let is_fit = |words: &String| words.lines().all(|line| line.len() <= 998);
    match (spelling == Spelling::ForReaders).then(readable).filter(is_fit) {
        Some(words) => {
            message.push_str("Content-Transfer-Encoding: 8bit\r\n\r\n");
            message.push_str(&words.replace('\n', "\r\n"));
        }
        None => {
            message.push_str("Content-Transfer-Encoding: quoted-printable\r\n\r\n");
            message.push_str(&quoted(head));
            message.push_str(common.map_or("", |common| common.for_servers(quoted)));
            message.push_str(&quoted(own));
        }
    }
}

/// An address as it travels: a domain with Danish letters in the spelling that every server takes (RFC 5891), so that only
/// letters before the `@` ask for more.
#[must_use]
pub fn on_the_wire(address: &str) -> String {
    let spelled = address.rsplit_once('@').and_then(|(local, domain)| match url::Host::parse(domain).ok()? {
        url::Host::Domain(domain) => Some(format!("{local}@{domain}")),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    });
    spelled.unwrap_or_else(|| address.to_owned())
}

/// Whole lines in quoted-printable (RFC 2045 § 6.7): each is spelled by itself, so that parts put together are the whole.
fn quoted(lines: &str) -> String {
    let spelled = Body::new_with_encoding(lines.to_owned(), ContentTransferEncoding::QuotedPrintable);
    String::from_utf8_lossy(spelled.unwrap_or_else(Body::new).as_ref()).into_owned()
}

/// The subject on one line. A line break in a header would begin another header; what looks like an encoded word
/// (RFC 2047) would be decoded by the reader into whatever its writer hid in it.
fn subject(words: &str) -> HeaderValue {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let line: String = words.chars().map(|c| if breaks(c) { ' ' } else { c }).collect();
    let name = HeaderName::new_from_ascii_str("Subject");
    if !line.contains("=?") {
        return HeaderValue::new(name, line);
    }
    let mut chunks = vec![String::new()];
    for c in line.chars() {
        // RFC 2047 § 2: an encoded word has at most 75 characters; 45 bytes make 60 of base64.
        if chunks.last().is_none_or(|chunk| chunk.len() + c.len_utf8() > 45) {
            chunks.push(String::new());
        }
        chunks.last_mut().into_iter().for_each(|chunk| chunk.push(c));
    }
    let word = |chunk: &String| format!("=?utf-8?b?{}?=", base64::engine::general_purpose::STANDARD.encode(chunk));
    let encoded: Vec<String> = chunks.iter().map(word).collect();
    HeaderValue::dangerous_new_pre_encoded(name, line, encoded.join("\r\n "))
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(letter: &Letter) -> String {
        let from = "Skala <skala@example.dk>".parse().unwrap();
        let date = "2026-11-22T08:00:00Z".parse().unwrap();
        letter.written(&from, "abc@example.dk", date, Spelling::ForServers).unwrap()
    }

    #[test]
    fn a_letter_carries_what_mail_programs_look_for() {
        let to = Email::parse("ane@firma.dk").unwrap();
        let mut letter = Letter::new(&to, Language::Da, "Ny dialog på vej", Prose::default().paragraph("Blåbærgrød"));
        letter.one_click =
            Some(OneClick { unsubscribe_url: "https://skala.dk/u/1".into(), list_id: "dialogue.skala.dk".into() });
        let posted = posted(&letter);
        for header in [
            "Message-ID: <abc@example.dk>",
            "Auto-Submitted: auto-generated",
            "List-Unsubscribe: <https://skala.dk/u/1>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "List-Id: <dialogue.skala.dk>",
            "multipart/alternative",
            "text/plain; charset=utf-8",
            "text/html; charset=utf-8",
        ] {
            assert!(posted.contains(header), "{header}\n{posted}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_said_to_many_and_then_to_one_reads_as_if_it_were_one(
            common in proptest::collection::vec((0..6, "[ -~æøåé=.\t\n]{0,90}"), 0..5),
            own in proptest::collection::vec((0..6, "[ -~æøåé=.\t\n]{0,90}"), 0..4),
        ) {
            let add = |prose: Prose, (kind, words): &(i32, String)| match kind {
                0 => prose.heading(words),
                1 => prose.paragraph(words),
                2 => prose.fact(words, "x"),
                3 => prose.item(words),
                4 => prose.link(words, "https://skala.dk/?a=1&b=2"),
                _ => prose.small(words),
            };
            let to = Email::parse("ane@firma.dk").unwrap();
            let written = |prose: Prose| own.iter().fold(prose, add);
            let begun = || common.iter().fold(Prose::default(), add);
            let (whole, parted) = (written(begun()), written(begun().for_many()));
            proptest::prop_assert_eq!(&whole, &parted);
            proptest::prop_assert_eq!(whole.text(), parted.text());
            proptest::prop_assert_eq!(whole.blocks("h2"), parted.blocks("h2"));
            proptest::prop_assert_eq!(serde_json::to_string(&whole).unwrap(), serde_json::to_string(&parted).unwrap());
            let [whole, parted] = [whole, parted].map(|prose| posted(&Letter::new(&to, Language::Da, "Ø", prose)));
            // A list that goes on over the seam is two lists in HTML; nothing else shows it.
            let whole = whole.replace("</ul>\r\n<ul>\r\n", "");
            proptest::prop_assert_eq!(whole, parted.replace("</ul>\r\n<ul>\r\n", ""));
        }
    }

    #[test]
    fn a_subject_cannot_smuggle_a_header() {
        let to = Email::parse("ane@firma.dk").unwrap();
        let letter = Letter::new(&to, Language::Da, "Hej\r\nBcc: x@y.dk", Prose::default());
        let posted = posted(&letter);
        let (headers, _) = posted.split_once("\r\n\r\n").unwrap();
        assert!(!headers.contains("\r\nBcc:"), "{headers}");
    }
}
