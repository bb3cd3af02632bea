//! Questions from the market.
//!
//! ```text
//! unconfirmed ──link in the mail──▶ asked ──▶ answered (to all) / rejected
//! ```

use crate::kernel::{Id, Instant, Text, text};

use super::Dialogue;

/// How far a question has come, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionState {
    /// The link in the mail was not used yet.
    Unconfirmed,
    Asked,
    Answered {
        answer: String,
        answered_at: Instant,
    },
    Rejected {
        reason: String,
        rejected_at: Instant,
    },
}

impl QuestionState {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Asked => "asked",
            Self::Answered { .. } => "answered",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// A question to a dialogue, by somebody whose name is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub id: Id<Question>,
    pub dialogue_id: Id<Dialogue>,
    /// Known to the service alone, for telling the answer; none once it was erased.
    pub email: Option<String>,
    /// A keyed hash of address and dialogue: the same asker is known again, in this dialogue only.
    pub asker_key: String,
    /// The asker's number within the dialogue, once confirmed.
    pub asker: Option<i32>,
    pub text: String,
    pub language: crate::kernel::Language,
    pub state: QuestionState,
    pub asked_at: Instant,
}

impl Question {
    /// What the asker is called in public: the same within a dialogue, and nobody's name.
    #[must_use]
    pub fn pseudonym(&self) -> Text {
        let number = self.asker.unwrap_or_default();
        text!("Leverandør {number}", "Supplier {number}")
    }

    /// Its answer, once it has one.
    #[must_use]
    pub fn answer(&self) -> Option<&str> {
        match &self.state {
            QuestionState::Answered { answer, .. } => Some(answer),
            _ => None,
        }
    }
}
