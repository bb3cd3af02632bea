//! What comes back: reports that a letter could not be delivered (RFC 3464), and complaints of readers about one
//! (RFC 5965), as a mail server hands them over.
//!
//! Only what matters is read: of which letter it speaks, and what became of it. Whatever else the mail holds, and however
//! mutilated it is, it is either understood or told apart as none; reading never fails in any other way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How deep parts may lie in parts, and how many of them are looked at.
const DEEPEST: usize = 6;
const MOST: usize = 64;

/// What a mail says of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It was not delivered, or not yet.
    Bounce { letters: Vec<String>, fate: Fate },
    /// Its reader complains.
    Complaint { letters: Vec<String>, kind: String },
    /// A machine wrote it, and nothing follows from it: a holiday reply, a receipt.
    Automatic,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The address is dead: there is no such mailbox or domain.
    Dead(String),
    /// It came back for another reason: a full mailbox, a rule, too long an outage.
    Returned(String),
    /// It is on its way, or was delivered.
    OnItsWay,
}

/// Whether these words of a mail server say that the address is dead (RFC 3463): no such mailbox or domain, moved away,
/// switched off. What speaks of the letter or of its sender does not.
#[must_use]
pub fn is_dead(words: &str) -> bool {
    const DEAD: [&str; 7] = ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];
    status(words).is_some_and(|status| DEAD.contains(&status))
}

/// The first word that is an enhanced status code of failure, such as `5.1.1`.
fn status(words: &str) -> Option<&str> {
    words.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.')).find(|word| {
        let mut parts = word.split('.');
        let class = parts.next();
        let numbers = parts.clone().all(|part| (1..=3).contains(&part.len()));
        matches!(class, Some("4" | "5")) && parts.count() == 2 && numbers && *word != "5.0.0"
    })
}

impl Report {
    /// Reads a mail; none when it is no report.
    #[must_use]
    pub fn read(mail: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
        // The envelope line that some programs put on top.
        let text = match text.strip_prefix("From ") {
            Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
            None => &text,
        };
        let mail = Part::of(text);
        let mut parts = Vec::new();
        mail.all(0, &mut parts);
        let mut letters: Vec<String> = Vec::new();
        for part in &parts {
            if matches!(
                part.kind.as_str(),
                "message/rfc822" | "text/rfc822-headers" | "message/global" | "message/global-headers"
            ) {
                let returned = Part::of(part.body.trim_start());
                letters.extend(returned.values("message-id").filter_map(letter_named));
                letters.extend(returned.values("return-path").filter_map(letter_named));
            }
        }
        let fields = |kinds: [&str; 2]| parts.iter().find(|part| kinds.contains(&part.kind.as_str())).map(Part::blocks);
        let complaint = fields(["message/feedback-report", "message/feedback-report"]);
        let status = fields(["message/delivery-status", "message/global-delivery-status"]);
        for blocks in [&complaint, &status].into_iter().flatten() {
            let values = blocks.iter().flat_map(|block| block.values("original-mail-from"));
            letters.extend(values.filter_map(letter_named));
        }
        for name in ["to", "delivered-to", "x-original-to", "envelope-to"] {
            letters.extend(mail.values(name).filter_map(letter_named));
        }
        letters.dedup();
        if let Some(blocks) = complaint {
            let kind = blocks.iter().find_map(|block| block.value("feedback-type")).unwrap_or("other").to_lowercase();
            return Some(Self::Complaint { letters, kind });
        }
        if let Some(blocks) = status {
            return Some(Self::Bounce { letters, fate: fate(&blocks) });
        }
        let automatic = mail.value("auto-submitted").is_some_and(|value| !value.eq_ignore_ascii_case("no"))
            || mail.value("precedence").is_some_and(|value| ["bulk", "junk", "auto_reply"].contains(&value))
            || mail.value("x-autoreply").is_some()
            || parts.iter().any(|part| part.kind == "message/disposition-notification");
        // A mail server of the old kind returns a letter in its own words, and wants no answer (RFC 5321 § 4.5.5).
        let from_nobody = mail.value("return-path") == Some("<>");
        match (automatic, from_nobody && !letters.is_empty()) {
            (_, true) => Some(Self::Bounce { letters, fate: told_in_words(&mail) }),
            (true, false) => Some(Self::Automatic),
            (false, false) => None,
        }
    }
}

fn fate(blocks: &[Part<'_>]) -> Fate {
    let of_recipient = |block: &&Part<'_>| block.value("action").is_some();
    let mut fate = Fate::OnItsWay;
    for block in blocks.iter().filter(of_recipient) {
        if !block.value("action").is_some_and(|action| action.eq_ignore_ascii_case("failed")) {
            continue;
        }
        let code = block.value("status").unwrap_or_default();
        let words = format!("{code} {}", block.value("diagnostic-code").unwrap_or_default()).trim().to_owned();
        if is_dead(&words) {
            return Fate::Dead(words);
        }
        fate = Fate::Returned(words);
    }
    fate
}

fn told_in_words(mail: &Part<'_>) -> Fate {
    let words = mail.body.lines().find(|line| status(line).is_some()).unwrap_or_default().trim().to_owned();
    if is_dead(&words) { Fate::Dead(words) } else { Fate::Returned(words) }
}

/// The letter that a Message-ID or a return address names: a UUID before the `@`, after a plus sign if there is one.
fn letter_named(value: &str) -> Option<String> {
    value.split(['<', '>', ' ', ',', ';', '"']).filter_map(|word| word.rsplit_once('@')).find_map(|(local, _)| {
        let name = local.rsplit_once('+').map_or(local, |(_, name)| name);
        let digits = name.chars().filter(|c| *c != '-');
        let is_one = digits.clone().count() == 32 && digits.clone().all(|c| c.is_ascii_hexdigit());
        is_one.then(|| name.to_owned())
    })
}

/// The letter that an address names to which mail came back.
#[must_use]
pub fn letter_of(address: &str) -> Option<String> {
    letter_named(address)
}

/// A part of a mail: its header fields, and what follows.
#[derive(Clone, Debug)]
struct Part<'a> {
    fields: Vec<(String, String)>,
    kind: String,
    boundary: Option<String>,
    body: std::borrow::Cow<'a, str>,
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Self {
        let (head, body) = match text.strip_prefix('\n') {
            Some(body) => ("", body),
            None => text.split_once("\n\n").unwrap_or((text, "")),
        };
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in head.lines() {
            match fields.last_mut() {
                Some((_, value)) if line.starts_with([' ', '\t']) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                _ => fields.extend(
                    line.split_once(':').map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned())),
                ),
            }
        }
        let mut part = Self { fields, kind: String::new(), boundary: None, body: body.into() };
        let content_type = part.value("content-type").unwrap_or("text/plain").to_owned();
        let mut pieces = content_type.split(';');
        part.kind = pieces.next().unwrap_or_default().trim().to_lowercase();
        part.boundary = pieces.find_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
        });
        let encoded = part.value("content-transfer-encoding").is_some_and(|way| way.eq_ignore_ascii_case("base64"));
        if encoded {
            let packed: String = body.split_whitespace().collect();
            let bytes = STANDARD.decode(packed).unwrap_or_default();
            part.body = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").into();
        }
        part
    }

    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.fields.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn value<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        self.values(name).next()
    }

    /// Fields after fields, as reports hold them: one block for the letter, one for each recipient.
    fn blocks(&self) -> Vec<Part<'static>> {
        let blocks = self.body.split("\n\n").map(|block| block.trim_start_matches('\n'));
        let owned = |block: &str| Part::of(block).fields;
        let part = |fields| Part { fields, kind: String::new(), boundary: None, body: "".into() };
        blocks.filter(|block| !block.trim().is_empty()).take(MOST).map(owned).map(part).collect()
    }

    /// All parts that are not made of parts.
    fn all(&self, depth: usize, found: &mut Vec<Part<'static>>) {
        if found.len() >= MOST {
            return;
        }
        let boundary = self.boundary.as_deref().filter(|_| self.kind.starts_with("multipart/") && depth < DEEPEST);
        match boundary {
            Some(boundary) => {
                let opens = format!("\n--{boundary}");
                let body = format!("\n{}", self.body);
                let parts = body.split(opens.as_str()).skip(1).take_while(|part| !part.starts_with("--"));
                for part in parts.take(MOST) {
                    let part = part.split_once('\n').map_or("", |(_, part)| part);
                    Part::of(part).all(depth + 1, found);
                }
            }
            None => found.push(Part { body: self.body.clone().into_owned().into(), ..self.clone_without_body() }),
        }
    }

    fn clone_without_body(&self) -> Part<'static> {
        Part { fields: self.fields.clone(), kind: self.kind.clone(), boundary: self.boundary.clone(), body: "".into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LETTER: &str = "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e";

    /// As Postfix writes it (RFC 3464, appendix).
    fn returned(action: &str, status: &str, diagnostic: &str) -> String {
        format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: bounce@skala.example\r\n\
             Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"A1/x.mx.example\"\r\n\r\n\
             This is a MIME-encapsulated message.\r\n\r\n--A1/x.mx.example\r\nContent-Type: text/plain\r\n\r\n\
             I'm sorry to have to inform you\r\n\r\n--A1/x.mx.example\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ane@firma.example\r\n\
             Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n\r\n\
             --A1/x.mx.example\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <skala@skala.example>\r\n\
             Message-ID: <{LETTER}@skala.example>\r\nSubject: x\r\n\r\nHej\r\n\r\n--A1/x.mx.example--\r\n"
        )
    }

    fn fate_of(mail: &str) -> Fate {
        match Report::read(mail.as_bytes()) {
            Some(Report::Bounce { letters, fate }) => {
                assert_eq!(letters, [LETTER]);
                fate
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_report_says_of_which_letter_it_speaks_and_what_became_of_it() {
        let dead = fate_of(&returned("failed", "5.1.1", "550 5.1.1 <ane@firma.example>: no such user"));
        assert_eq!(dead, Fate::Dead("5.1.1 smtp; 550 5.1.1 <ane@firma.example>: no such user".into()));
        assert!(matches!(fate_of(&returned("failed", "5.0.0", "550 5.1.1 no such user")), Fate::Dead(_)));
        assert!(matches!(fate_of(&returned("failed", "5.2.2", "552 mailbox full")), Fate::Returned(_)));
        assert!(matches!(fate_of(&returned("failed", "5.7.1", "554 spam")), Fate::Returned(_)));
        assert!(matches!(fate_of(&returned("Failed", "4.4.7", "expired")), Fate::Returned(_)));
        assert_eq!(fate_of(&returned("delayed", "4.4.1", "timed out")), Fate::OnItsWay);
        assert_eq!(fate_of(&returned("delivered", "2.0.0", "250 ok")), Fate::OnItsWay);
    }

    #[test]
    fn a_report_that_returns_nothing_of_the_letter_names_it_by_its_address() {
        let named = LETTER.replace('-', "");
        let mail = returned("failed", "5.1.1", "no").replace(&format!("<{LETTER}@skala.example>"), "<x@y>");
        let mail = mail.replace("To: bounce@", &format!("To: bounce+{named}@"));
        let Some(Report::Bounce { letters, .. }) = Report::read(mail.as_bytes()) else { panic!() };
        assert_eq!(letters, std::slice::from_ref(&named));
        let old = format!(
            "Return-Path: <>\nTo: <bounce+{named}@skala.example>\n\nHi. This is qmail.\n<ane@x.dk>:\n5.1.1 no such user\n"
        );
        let Some(Report::Bounce { fate, .. }) = Report::read(old.as_bytes()) else { panic!() };
        assert_eq!(fate, Fate::Dead("5.1.1 no such user".into()));
    }

    #[test]
    fn a_complaint_is_told_apart() {
        // RFC 5965 § B.1, shortened.
        let mail = format!(
            "From: <abusedesk@example.com>\nSubject: FW: Earn money\nMIME-Version: 1.0\nContent-Type: multipart/report; \
             report-type=feedback-report;\n     boundary=\"part1_13d.2e68ed54_boundary\"\n\n\
             --part1_13d.2e68ed54_boundary\nContent-Type: text/plain; charset=\"US-ASCII\"\n\nThis is an email abuse \
             report.\n\n--part1_13d.2e68ed54_boundary\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\
             User-Agent: SomeGenerator/1.0\nVersion: 1\n\n--part1_13d.2e68ed54_boundary\nContent-Type: message/rfc822\n\
             Content-Disposition: inline\n\nMessage-ID: <{LETTER}@skala.example>\nFrom: <x@y>\n\nSpam\n\
             --part1_13d.2e68ed54_boundary--\n"
        );
        let complaint = Report::Complaint { letters: vec![LETTER.into()], kind: "abuse".into() };
        assert_eq!(Report::read(mail.as_bytes()), Some(complaint));
    }

    #[test]
    fn a_holiday_reply_is_nothing_and_a_human_letter_is_no_report() {
        let away = "From: ane@firma.example\nAuto-Submitted: auto-replied\nSubject: Ferie\n\nJeg er på ferie.\n";
        assert_eq!(Report::read(away.as_bytes()), Some(Report::Automatic));
        assert_eq!(Report::read(b"From: ane@firma.example\nSubject: Hej\n\nHvad er det her?\n"), None);
        assert_eq!(Report::read(b""), None);
    }

    proptest! {
        #[test]
        fn no_mail_breaks_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = Report::read(&bytes);
        }

        #[test]
        fn no_mutilated_report_breaks_the_reader(cut in 0_usize..1200, put in ".{0,20}", turns in 0_usize..3) {
            let mut mail = returned("failed", "5.1.1", "550 no such user");
            for _ in 0..turns {
                mail = mail.replacen("Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=\"A1/x.mx.example\"", 1);
            }
            let place = (0..=cut.min(mail.len())).rev().find(|place| mail.is_char_boundary(*place)).unwrap();
            mail.insert_str(place, &put);
            let _ = Report::read(mail.as_bytes());
            mail.truncate(place);
            let _ = Report::read(mail.as_bytes());
        }
    }
}
