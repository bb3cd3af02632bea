//! A conversation with an SMTP server (RFC 5321): one connection that carries letter after letter.
//!
//! Where the server takes commands in a row (RFC 2920), sender, recipient and the wish to write go in one step. What
//! went wrong is told apart by whose fault it is: the server's, so that every other letter would fare the same, or the
//! letter's and its recipient's.

use std::error::Error as _;
use std::str::FromStr;
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, CertificateStore, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::{ClientId, Extension};
use url::Url;

use super::{Failure, PostmanError};

/// How long a connection that is not used is kept.
const IDLE: Duration = Duration::from_secs(60);
/// How long a server may take for one answer, in seconds, unless the address says otherwise.
const PATIENCE: u64 = 30;
/// How many times longer it may take to think about a whole letter: giving up early would send it twice (RFC 1047).
const FOR_A_LETTER: u32 = 10;

/// Where an SMTP server is, and how it is talked to.
#[derive(Clone)]
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    credentials: Option<Credentials>,
    patience: Duration,
}

#[derive(Clone)]
enum Tls {
    Never,
    IfOffered(TlsParameters),
    Required(TlsParameters),
    FromTheStart(TlsParameters),
}

impl FromStr for Server {
    type Err = PostmanError;

    fn from_str(written: &str) -> Result<Self, PostmanError> {
        let wrong = |reason: &dyn ToString| PostmanError::new("SKALA_SMTP_URL", reason);
        let url = Url::parse(written).map_err(|error| wrong(&error))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong(&"it names no host"))?;
        let name = host.trim_matches(['[', ']']);
        let (mut tls, mut patience, mut authority) = (None, PATIENCE, None);
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "tls" => tls = Some(value.into_owned()),
                "timeout" => {
                    let seconds = value.parse().ok().filter(|seconds| (1..=600).contains(seconds));
                    patience = seconds.ok_or_else(|| wrong(&"timeout is 1 to 600 seconds"))?;
                }
                "ca" => authority = Some(authorities(&value).map_err(|reason| wrong(&format!("{value}: {reason}")))?),
                _ => return Err(wrong(&"only tls, timeout and ca may stand after the question mark")),
            }
        }
        let parameters = || {
            let builder = TlsParameters::builder(name.to_owned());
            let builder = match authority.clone() {
                Some(own) => builder.certificate_store(CertificateStore::None).add_root_certificate(own),
                None => builder,
            };
            builder.build().map_err(|error| wrong(&error))
        };
        let (tls, port) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) if authority.is_some() => {
                return Err(wrong(&"ca is of use with tls=required, or with smtps://"));
            }
            ("smtp", None) => (Tls::Never, 25),
            ("smtp", Some("opportunistic")) => (Tls::IfOffered(parameters()?), 587),
            ("smtp", Some("required")) => (Tls::Required(parameters()?), 587),
            ("smtps", None) => (Tls::FromTheStart(parameters()?), 465),
            _ => return Err(wrong(&"expected smtp:// or smtps://, and tls=required or tls=opportunistic")),
        };
        let decoded = |text: &str| {
            let pairs = format!("x={}", text.replace('+', "%2B"));
            url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, text)| text.into_owned()).unwrap_or_default()
        };
        let credentials = url.password().map(|password| Credentials::new(decoded(url.username()), decoded(password)));
        let hello = url.path().trim_matches('/');
        Ok(Self {
            host: name.to_owned(),
            port: url.port().unwrap_or(port),
            tls,
            hello: if hello.is_empty() { ClientId::default() } else { ClientId::Domain(hello.to_owned()) },
            credentials,
            patience: Duration::from_secs(patience),
        })
    }
}

/// The authorities of a PEM file, that alone are believed to name the server.
fn authorities(file: &str) -> Result<Certificate, String> {
    let pem = std::fs::read(file).map_err(|error| error.to_string())?;
    // A file without any reads as none, and the server would be believed by nobody.
    let holds_one = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
    let found = Certificate::from_pem(&pem).ok().filter(|_| holds_one);
    found.ok_or_else(|| "it holds no certificates in PEM".to_owned())
}

impl Server {
    /// Opens a conversation: greeting, encryption, sign-in.
    ///
    /// # Errors
    /// [`Failure::Away`] whatever is wrong: no letter can go before it is put right.
    pub(super) fn call(&self) -> Result<Line, Failure> {
        let away = |error: Error| Failure::Away(said(&error));
        let from_the_start = if let Tls::FromTheStart(tls) = &self.tls { Some(tls) } else { None };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            SmtpConnection::connect(address, Some(self.patience), &self.hello, from_the_start, None).map_err(away)?;
        match &self.tls {
            Tls::IfOffered(tls) if connection.can_starttls() => connection.starttls(tls, &self.hello).map_err(away)?,
            // A server that offers no encryption is told so by lettre, and gets no letter.
            Tls::Required(tls) => connection.starttls(tls, &self.hello).map_err(away)?,
            Tls::Never | Tls::IfOffered(_) | Tls::FromTheStart(_) => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).map_err(away)?;
        }
        let offers = connection.command(Ehlo::new(self.hello.clone())).map_err(away)?;
        let pipelining = offers.message().any(|line| line.eq_ignore_ascii_case("PIPELINING"));
        Ok(Line { connection, pipelining, patience: self.patience, carried: 0, used_at: Instant::now() })
    }
}

/// A conversation that is open.
pub(super) struct Line {
    connection: SmtpConnection,
    pipelining: bool,
    patience: Duration,
    carried: u32,
    used_at: Instant,
}

/// Why a letter was not taken, and what that means for the conversation.
pub(super) struct Refusal {
    pub(super) failure: Failure,
    /// Whether the conversation is at its end.
    pub(super) over: bool,
    /// Whether the server ended a conversation that had carried letters before, before it took anything of this one:
    /// it goes at once by another.
    pub(super) stale: bool,
}

impl Line {
    /// Whether it has been silent for so long that the server will have hung up.
    pub(super) fn is_old(&self) -> bool {
        self.used_at.elapsed() > IDLE
    }

    /// Hands over one letter; the answer is the server's.
    pub(super) fn send(&mut self, from: &str, to: &str, message: &str) -> Result<String, Refusal> {
        let refused = |failure| Err(Refusal { failure, over: false, stale: false });
        let mut parameters = "";
        if !(from.is_ascii() && to.is_ascii()) {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let why = "the mail server takes no addresses with letters beyond a to z (SMTPUTF8, RFC 6531)";
                return refused(Failure::ForGood(why.to_owned()));
            }
            parameters = " SMTPUTF8 BODY=8BITMIME";
        }
        self.used_at = Instant::now();
        let envelope = [format!("MAIL FROM:<{from}>{parameters}\r\n"), format!("RCPT TO:<{to}>\r\n")];
        self.open(&envelope)?;
        let waits = self.connection.set_timeout(Some(self.patience * FOR_A_LETTER));
        let answer = self.connection.command(stuffed(message));
        let waits_again = self.connection.set_timeout(Some(self.patience));
        self.carried += 1;
        match answer {
            Ok(answer) => {
                let code = answer.code();
                let words = answer.message().collect::<Vec<_>>().join(" ");
                // A socket that cannot be told how long to wait is not used again.
                if waits.and(waits_again).is_err() {
                    self.connection.abort();
                }
                Ok(format!("{code} {words}"))
            }
            Err(error) => Err(of_letter(&error)),
        }
    }

    /// Goes as far as the server's wish to read the letter.
    fn open(&mut self, envelope: &[String; 2]) -> Result<(), Refusal> {
        let [mail, rcpt] = envelope;
        let carried = self.carried > 0;
        if !self.pipelining {
            self.connection.command(mail).map_err(|error| of_server(&error, carried))?;
            let opened = self.connection.command(rcpt).and_then(|_| self.connection.command("DATA\r\n"));
            return match opened {
                Ok(_) => Ok(()),
                Err(error) => Err(self.step_back(of_letter(&error))),
            };
        }
        let taken = self.connection.command(format!("{mail}{rcpt}DATA\r\n"));
        if let Err(error) = &taken
            && error.status().is_none_or(|code| code.to_string() == "421")
        {
            return Err(of_server(error, carried));
        }
        let known = self.connection.read_response();
        if let Err(error) = &known
            && error.status().is_none()
        {
            return Err(of_letter(error));
        }
        let ready = self.connection.read_response();
        let refusal = match (&taken, &known, &ready) {
            (Err(error), _, _) => of_server(error, false),
            (_, Err(error), _) | (_, _, Err(error)) => of_letter(error),
            (Ok(_), Ok(_), Ok(_)) => return Ok(()),
        };
        // A server that wants to read although it takes nobody is given nothing (RFC 2920 § 3.1).
        if ready.is_ok() && self.connection.command(".\r\n").is_err_and(|error| error.status().is_none()) {
            return Err(Refusal { over: true, ..refusal });
        }
        Err(self.step_back(refusal))
    }

    /// Makes the conversation fit for the next letter.
    fn step_back(&mut self, refusal: Refusal) -> Refusal {
        let over = refusal.over || self.connection.command("RSET\r\n").is_err();
        Refusal { over, ..refusal }
    }

    /// Ends the conversation.
    pub(super) fn hang_up(&mut self) {
        // Whoever hangs is not waited for to say goodbye.
        self.connection.set_timeout(Some(Duration::from_secs(1))).ok();
        self.connection.abort();
    }
}

/// A refusal that would meet every letter.
fn of_server(error: &Error, carried: bool) -> Refusal {
    let code = error.status().map(|code| code.to_string());
    let over = code.as_deref().is_none_or(|code| code == "421");
    Refusal { failure: Failure::Away(said(error)), over, stale: over && carried }
}

/// A refusal of this letter, or of its recipient.
fn of_letter(error: &Error) -> Refusal {
    let words = said(error);
    match error.status().map(|code| code.to_string()) {
        None => Refusal { failure: Failure::ForNow(words), over: true, stale: false },
        Some(code) if code == "421" => Refusal { failure: Failure::Away(words), over: true, stale: false },
        Some(_) if error.is_permanent() => Refusal { failure: Failure::ForGood(words), over: false, stale: false },
        Some(_) => Refusal { failure: Failure::ForNow(words), over: false, stale: false },
    }
}

/// What the server said, or what became of the connection.
fn said(error: &Error) -> String {
    match (error.status(), error.source()) {
        (Some(code), Some(words)) => format!("{code} {words}"),
        (Some(code), None) => code.to_string(),
        _ => error.to_string(),
    }
}

/// The message as it travels: a line that begins with a dot gets another, and a line of one dot ends it.
fn stuffed(message: &str) -> String {
    let mut out = String::with_capacity(message.len() + 64);
    for line in message.split_inclusive('\n') {
        if line.starts_with('.') {
            out.push('.');
        }
        out.push_str(line);
    }
    if !out.ends_with("\r\n") {
        out.push_str("\r\n");
    }
    out.push_str(".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        assert_eq!(stuffed("a\r\n.\r\n.b\r\n"), "a\r\n..\r\n..b\r\n.\r\n");
        assert_eq!(stuffed("a"), "a\r\n.\r\n");
    }

    #[test]
    fn an_address_says_how_the_server_is_talked_to() {
        let server: Server =
            "smtp://skala%40x:a+b%2Fc@mail.example/skala.example?tls=required&timeout=5".parse().unwrap();
        assert_eq!((server.host.as_str(), server.port), ("mail.example", 587));
        assert_eq!(server.patience, Duration::from_secs(5));
        assert!(matches!(server.tls, Tls::Required(_)));
        assert_eq!(server.credentials, Some(Credentials::new("skala@x".into(), "a+b/c".into())));
        assert_eq!(server.hello, ClientId::Domain("skala.example".into()));
        let server: Server = "smtp://[::1]:2525".parse().unwrap();
        assert_eq!((server.host.as_str(), server.port), ("::1", 2525));
    }

    #[test]
    fn an_address_that_makes_no_sense_is_refused() {
        for url in [
            "",
            "localhost:25",
            "http://localhost",
            "smtp://",
            "smtp://x?tls=maybe",
            "smtp://x?timeout=0",
            "smtp://x?a=b",
            "smtps://x?ca=/nowhere/ca.pem",
            "smtps://x?ca=Cargo.toml",
            "smtp://x?ca=tests/it/tls/ca.pem",
        ] {
            assert!(url.parse::<Server>().is_err(), "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_message_comes_out_as_it_went_in_and_ends_once(message in "[.a\r\n]{0,60}") {
            let message = message.replace("\r\n", "\n").replace('\r', "").replace('\n', "\r\n");
            let sent = stuffed(&message);
            let body = sent.strip_suffix(".\r\n").unwrap();
            let came: String = body.split_inclusive("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            proptest::prop_assert_eq!(came.strip_suffix("\r\n").unwrap(), message.strip_suffix("\r\n").unwrap_or(&message));
            proptest::prop_assert!(!body.split("\r\n").any(|line| line == "."), "it would end too early");
        }

        #[test]
        fn no_address_breaks_the_reader(text in ".{0,60}", rest in "[a-z0-9@:/?=&%+.\\[\\]]{0,40}") {
            for address in [text, format!("smtp://{rest}"), format!("smtps://{rest}")] {
                if let Ok(server) = address.parse::<Server>() {
                    proptest::prop_assert!(!server.host.is_empty() && (1..=600).contains(&server.patience.as_secs()));
                }
            }
        }
    }
}
