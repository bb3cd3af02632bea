//! Who carries letters: an SMTP server, a folder, or a test's mailbox.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::dkim::Signer;
use super::smtp::{Line, Refusal, Server};
use super::{Letter, Sender, Spelling};
use crate::kernel::{Email, Instant};

/// Carries letters: as many at a time as it has hands.
#[derive(Clone)]
pub struct Postman {
    from: Sender,
    host: String,
    way: Way,
    signers: Arc<[Signer]>,
    bounces: Option<ReturnAddress>,
}

#[derive(Clone)]
enum Way {
    Smtp(Arc<Server>),
    Folder(PathBuf),
    Mailbox(Mailbox),
}

/// Why no postman could be found.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct PostmanError {
    variable: &'static str,
    reason: String,
}

impl PostmanError {
    pub(crate) fn new(variable: &'static str, reason: &dyn ToString) -> Self {
        Self { variable, reason: reason.to_string() }
    }
}

/// Where mail that cannot be delivered comes back to: an address that names the delivery after a plus sign
/// (`bounce+0193f1c27a5e7c319d3e3f6a2b1c0d4e@skala.dk`), so that it is known even when nothing of the letter is returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress(Email);

impl ReturnAddress {
    /// Mail comes back to this address, with the delivery's id put in.
    #[must_use]
    pub fn new(address: Email) -> Self {
        Self(address)
    }

    fn of(&self, id: &str) -> String {
        let (local, domain) = self.0.as_str().rsplit_once('@').unwrap_or_default();
        format!("{local}+{}@{domain}", id.replace('-', ""))
    }
}

/// A letter that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Our own mail server is away or takes nothing: every other letter would fare the same.
    Away(String),
    /// The letter was refused for now (RFC 5321: a 4xx answer), or the connection broke over it.
    ForNow(String),
    /// Trying again cannot help (RFC 5321: a 5xx answer), or the address is none.
    ForGood(String),
}

impl Failure {
    /// What the server said, or what happened.
    #[must_use]
    pub fn answer(&self) -> &str {
        let (Self::Away(answer) | Self::ForNow(answer) | Self::ForGood(answer)) = self;
        answer
    }
}

/// A mailbox in memory, for tests: keeps what is posted, and can be told to refuse.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<MailboxState>>);

#[derive(Default)]
struct MailboxState {
    letters: Vec<(String, Letter)>,
    refusals: Vec<Failure>,
}

impl Mailbox {
    /// Takes out all that lies in it: the Message-ID and the letter, oldest first.
    #[must_use]
    pub fn empty(&self) -> Vec<(String, Letter)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).letters)
    }

    /// Makes the next attempt fail in this way.
    pub fn refuse_next(&self, failure: Failure) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refusals.push(failure);
    }

    fn put(&self, id: &str, letter: &Letter) -> Result<String, Failure> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = state.refusals.pop() {
            return Err(failure);
        }
        state.letters.push((id.to_owned(), letter.clone()));
        Ok("kept in memory".to_owned())
    }
}

impl Postman {
    /// One who hands letters to an SMTP server, over connections that are kept open and used again.
    ///
    /// The URL says how: `smtp://host:25` in plain, `?tls=opportunistic` or `?tls=required` for STARTTLS,
    /// `smtps://host:465` for TLS from the start, `user:password@` to sign in, `?timeout=30` for how many seconds one
    /// answer may take, `?ca=FILE` for the authorities (PEM) that alone are believed to name the server.
    ///
    /// # Errors
    /// When the URL makes no sense.
    pub fn smtp(url: &str, from: Sender, host: &str) -> Result<Self, PostmanError> {
        Ok(Self::by(Way::Smtp(Arc::new(url.parse()?)), from, host))
    }

    /// One who writes each letter into a file of the folder, as `DATE-ID.eml`.
    #[must_use]
    pub fn folder(folder: PathBuf, from: Sender, host: &str) -> Self {
        Self::by(Way::Folder(folder), from, host)
    }

    /// One who puts letters into a mailbox in memory.
    #[must_use]
    pub fn mailbox(mailbox: Mailbox, from: Sender, host: &str) -> Self {
        Self::by(Way::Mailbox(mailbox), from, host)
    }

    fn by(way: Way, from: Sender, host: &str) -> Self {
        Self { from, host: host.to_owned(), way, signers: Arc::new([]), bounces: None }
    }

    /// The same postman, who signs every letter (DKIM).
    #[must_use]
    pub fn signing(self, signers: Vec<Signer>) -> Self {
        Self { signers: signers.into(), ..self }
    }

    /// The same postman, to whom undeliverable mail comes back by an address that names the delivery.
    #[must_use]
    pub fn returning_to(self, bounces: Option<ReturnAddress>) -> Self {
        Self { bounces, ..self }
    }

    /// How many hands are of use: one where letters need no waiting for.
    #[must_use]
    pub fn hands(&self, wanted: usize) -> usize {
        match self.way {
            Way::Smtp(_) => wanted,
            Way::Folder(_) | Way::Mailbox(_) => 1,
        }
    }

    /// A hand of this postman's, with a connection of its own.
    #[must_use]
    pub fn hand(&self) -> Hand {
        Hand { postman: self.clone(), line: None }
    }

    /// The message as it goes out, signed.
    fn write(&self, letter: &Letter, id: &str, date: Instant) -> Result<String, Failure> {
        let unfit = |error: &dyn std::fmt::Display| Failure::ForGood(error.to_string());
        let spelling = match self.way {
            Way::Folder(_) => Spelling::ForReaders,
            Way::Smtp(_) | Way::Mailbox(_) => Spelling::ForServers,
        };
        let message =
            letter.written(&self.from, &self.message_id(id), date, spelling).map_err(|error| unfit(&error))?;
        self.signers
            .iter()
            .try_fold(message, |message, signer| signer.sign(&message, date))
            .map_err(|error| unfit(&error))
    }

    fn message_id(&self, id: &str) -> String {
        format!("{id}@{}", self.host)
    }
}

/// One of a postman's hands: carries one letter at a time.
pub struct Hand {
    postman: Postman,
    line: Option<Line>,
}

impl Hand {
    /// Delivers a letter, or says why not; blocks until the server has answered. `date` is when it was written: a letter
    /// that is repeated is the same, to the last character.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn deliver(&mut self, letter: &Letter, id: &str, date: Instant) -> Result<String, Failure> {
        match &self.postman.way {
            Way::Mailbox(mailbox) => mailbox.put(&self.postman.message_id(id), letter),
            Way::Folder(folder) => {
                let message = self.postman.write(letter, id, date)?;
                let name = format!("{}-{id}.eml", date.format("%Y%m%dT%H%M%S"));
                // A reader of the folder never sees half a letter, and the same letter again replaces itself.
                let draft = folder.join(format!(".{name}"));
                let written = std::fs::create_dir_all(folder).and_then(|()| {
                    let mut file = std::fs::File::create(&draft)?;
                    file.write_all(message.as_bytes())?;
                    // A letter counts as sent from here on: a power cut must not take it.
                    file.sync_all()?;
                    std::fs::rename(&draft, folder.join(&name))
                });
                written.map(|()| format!("written to {name}")).map_err(|error| {
                    std::fs::remove_file(&draft).ok();
                    Failure::Away(format!("{}: {error}", folder.display()))
                })
            }
            Way::Smtp(server) => {
                let server = Arc::clone(server);
                let message = self.postman.write(letter, id, date)?;
                let from = self.postman.bounces.as_ref().map_or_else(|| self.postman.from.address(), |to| to.of(id));
                self.post(&server, &from, &letter.mailbox(), &message)
            }
        }
    }

    fn post(&mut self, server: &Server, from: &str, to: &str, message: &str) -> Result<String, Failure> {
        loop {
            if let Some(mut old) = self.line.take_if(|line| line.is_old()) {
                old.hang_up();
            }
            let line = match &mut self.line {
                Some(line) => line,
                None => self.line.insert(server.call()?),
            };
            let Refusal { failure, over, stale } = match line.send(from, to, message) {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            if over && let Some(mut line) = self.line.take() {
                line.hang_up();
            }
            if !stale {
                return Err(failure);
            }
        }
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        if let Some(line) = &mut self.line {
            line.hang_up();
        }
    }
}
