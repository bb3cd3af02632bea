//! Who carries letters: an SMTP server, a folder, or a test's mailbox.

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::{SmtpTransport, Transport};

use super::{Letter, Sender, Spelling};
use crate::kernel::Instant;

/// How long an SMTP server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Carries letters.
#[derive(Clone)]
pub struct Postman {
    from: Sender,
    host: String,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Smtp(SmtpTransport),
    Folder(PathBuf),
    Mailbox(Mailbox),
}

/// Why no postman could be found.
#[derive(Debug, thiserror::Error)]
#[error("SKALA_SMTP_URL: {0}")]
pub struct PostmanError(String);

/// A letter that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether trying again cannot help (RFC 5321: a 5xx answer, or an address that is none).
    pub for_good: bool,
    /// What the server said.
    pub answer: String,
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
    /// `smtps://host:465` for TLS from the start, `user:password@` to sign in.
    ///
    /// # Errors
    /// When the URL makes no sense.
    pub fn smtp(url: &str, from: Sender, host: &str) -> Result<Self, PostmanError> {
        let builder = SmtpTransport::from_url(url).map_err(|error| PostmanError(error.to_string()))?;
        let pool = lettre::transport::smtp::PoolConfig::new().max_size(4).idle_timeout(Duration::from_secs(60));
        let way = Way::Smtp(builder.timeout(Some(PATIENCE)).pool_config(pool).build());
        Ok(Self { from, host: host.to_owned(), way })
    }

    /// One who writes each letter into a file of the folder, as `DATE-ID.eml`.
    #[must_use]
    pub fn folder(folder: PathBuf, from: Sender, host: &str) -> Self {
        Self { from, host: host.to_owned(), way: Way::Folder(folder) }
    }

    /// One who puts letters into a mailbox in memory.
    #[must_use]
    pub fn mailbox(mailbox: Mailbox, from: Sender, host: &str) -> Self {
        Self { from, host: host.to_owned(), way: Way::Mailbox(mailbox) }
    }

    /// Delivers a letter, or says why not; blocks until the server has answered.
    ///
    /// # Errors
    /// [`Failure`], for now or for good.
    pub fn deliver(&self, letter: &Letter, id: &str, now: Instant) -> Result<String, Failure> {
        let message_id = format!("{id}@{}", self.host);
        let unfit = |error: &dyn fmt::Display| Failure { for_good: true, answer: error.to_string() };
        let spelling = match self.way {
            Way::Folder(_) => Spelling::ForReaders,
            Way::Smtp(_) | Way::Mailbox(_) => Spelling::ForServers,
        };
        let message = letter.message(&self.from, &message_id, now, spelling).map_err(|error| unfit(&error))?;
        match &self.way {
            Way::Smtp(transport) => match transport.send(&message) {
                Ok(answer) => Ok(format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "))),
                Err(error) => Err(Failure { for_good: error.is_permanent(), answer: error.to_string() }),
            },
            Way::Folder(folder) => {
                let name = format!("{}-{id}.eml", now.format("%Y%m%dT%H%M%S"));
                // A reader of the folder never sees half a letter, and the same letter again replaces itself.
                let written = std::fs::create_dir_all(folder).and_then(|()| {
                    let draft = folder.join(format!(".{name}"));
                    std::fs::File::create(&draft)?.write_all(&message.formatted())?;
                    std::fs::rename(&draft, folder.join(&name))
                });
                written
                    .map(|()| format!("written to {name}"))
                    .map_err(|error| Failure { for_good: false, answer: format!("{}: {error}", folder.display()) })
            }
            Way::Mailbox(mailbox) => mailbox.put(&message_id, letter),
        }
    }
}
