//! Facts, recorded in the transaction that made them true.
//!
//! A fact says who did what to which thing, when and why. Facts are a thing's history, what dispatches
//! grow from, and the one order in which everything happened: a fact's place is the change number of its
//! transaction and its turn within it. Facts are never changed and never removed.

mod store;

pub use store::{FactRow, HistoryView, history, record};

use serde_json::{Map, Value};

use crate::kernel::{Id, Instant};

/// What kind of thing a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    User,
    Organisation,
    CriteriaSet,
    Call,
    Challenge,
    Process,
    Dialogue,
    Subscription,
    LetterOfIntent,
    NeedsInbox,
    Need,
    Suggestion,
    SupportRequest,
}

impl Subject {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Organisation => "organisation",
            Self::CriteriaSet => "criteria_set",
            Self::Call => "call",
            Self::Challenge => "challenge",
            Self::Process => "process",
            Self::Dialogue => "dialogue",
            Self::Subscription => "subscription",
            Self::LetterOfIntent => "letter_of_intent",
            Self::NeedsInbox => "needs_inbox",
            Self::Need => "need",
            Self::Suggestion => "suggestion",
            Self::SupportRequest => "support_request",
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user's id; none for the service itself and for people without an account.
    pub user_id: Option<String>,
    /// What readers of the history see.
    pub name: String,
    pub organisation_id: Option<String>,
}

impl Actor {
    /// The service itself: what happens by the clock or on the command line.
    #[must_use]
    pub fn service() -> Self {
        Self { user_id: None, name: "Skala".to_owned(), organisation_id: None }
    }

    /// Somebody without an account, who proved an address by a link.
    #[must_use]
    pub fn visitor() -> Self {
        Self { user_id: None, name: "Gæst".to_owned(), organisation_id: None }
    }
}

/// Something that is true from now on.
#[derive(Clone, Debug)]
pub struct Fact {
    pub subject: Subject,
    pub subject_id: String,
    /// What was done, as a past participle: `submitted`.
    pub deed: &'static str,
    pub actor: Actor,
    pub at: Instant,
    pub reason: Option<String>,
    /// What else belongs to it, such as the state before and after.
    pub data: Value,
}

impl Fact {
    /// `actor` did `deed` to the thing with this id.
    #[must_use]
    pub fn new<T>(subject: Subject, id: Id<T>, deed: &'static str, actor: Actor, at: Instant) -> Self {
        Self { subject, subject_id: id.to_string(), deed, actor, at, reason: None, data: Value::Object(Map::new()) }
    }

    /// … because of this.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// … with these particulars.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}
