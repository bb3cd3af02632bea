//! A request for support, what it is for, and where it stands.

use std::fmt;

use chrono::Datelike;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Email, Fitting, Flaws, Id, Instant, Language, OrganisationId, Text, UserId, copenhagen, text};

/// What somebody wants support with, or by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SupportKind)]
pub enum Kind {
    Knowledge,
    Tool,
    Guide,
    Case,
    Template,
    Sparring,
    Network,
    MarketDialogue,
    PartnershipAndFinancing,
    Matchmaking,
    Other,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Knowledge,
        Self::Tool,
        Self::Guide,
        Self::Case,
        Self::Template,
        Self::Sparring,
        Self::Network,
        Self::MarketDialogue,
        Self::PartnershipAndFinancing,
        Self::Matchmaking,
        Self::Other,
    ];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Knowledge => "knowledge",
            Self::Tool => "tool",
            Self::Guide => "guide",
            Self::Case => "case",
            Self::Template => "template",
            Self::Sparring => "sparring",
            Self::Network => "network",
            Self::MarketDialogue => "market_dialogue",
            Self::PartnershipAndFinancing => "partnership_and_financing",
            Self::Matchmaking => "matchmaking",
            Self::Other => "other",
        }
    }

    /// For people.
    #[must_use]
    pub fn name(self) -> Text {
        match self {
            Self::Knowledge => text!("viden", "knowledge"),
            Self::Tool => text!("værktøj", "a tool"),
            Self::Guide => text!("guide", "a guide"),
            Self::Case => text!("case", "a case"),
            Self::Template => text!("skabelon", "a template"),
            Self::Sparring => text!("sparring", "sparring"),
            Self::Network => text!("netværk", "a network"),
            Self::MarketDialogue => text!("markedsdialog", "market dialogue"),
            Self::PartnershipAndFinancing => {
                text!("partnerskabs- og finansieringsmodel", "a model of partnership and financing")
            }
            Self::Matchmaking => text!("matchmaking", "matchmaking"),
            Self::Other => text!("noget andet", "something else"),
        }
    }
}

/// The part somebody plays around an innovative purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SupportUserGroup)]
pub enum UserGroup {
    Procurement,
    Innovation,
    Management,
    Frontline,
    Legal,
    Company,
    KnowledgeInstitution,
    Other,
}

impl UserGroup {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Procurement,
        Self::Innovation,
        Self::Management,
        Self::Frontline,
        Self::Legal,
        Self::Company,
        Self::KnowledgeInstitution,
        Self::Other,
    ];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Procurement => "procurement",
            Self::Innovation => "innovation",
            Self::Management => "management",
            Self::Frontline => "frontline",
            Self::Legal => "legal",
            Self::Company => "company",
            Self::KnowledgeInstitution => "knowledge_institution",
            Self::Other => "other",
        }
    }

    /// For people.
    #[must_use]
    pub fn name(self) -> Text {
        match self {
            Self::Procurement => text!("indkøb", "procurement"),
            Self::Innovation => text!("innovation", "innovation"),
            Self::Management => text!("ledelse", "management"),
            Self::Frontline => text!("fagpersonale", "frontline staff"),
            Self::Legal => text!("jura", "legal"),
            Self::Company => text!("virksomhed", "company"),
            Self::KnowledgeInstitution => text!("videninstitution", "knowledge institution"),
            Self::Other => text!("en anden rolle", "another part"),
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SupportAsk)]
pub struct Ask {
    pub kind: Kind,
    pub user_group: UserGroup,
    /// 1 to 4,000 characters. No markup, no CPR number.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "Findes der en skabelon til en markedsdialog med små virksomheder?"
    )]
    pub text: String,
}

impl Fitting for Ask {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.open_prose("/text", &mut self.text, 1, 4000);
    }
}

impl Ask {
    /// What stays when whoever asked wants the words gone: kind and user group, which count and tell of nobody.
    #[must_use]
    pub fn without_words(self) -> Self {
        Self { text: "(slettet af afsenderen)".to_owned(), ..self }
    }
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has used the link in the mail.
    Unconfirmed,
    Waiting,
    Answered {
        answer: String,
    },
    Closed(Closing),
}

/// How a request was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It had this answer.
    Answered { answer: String },
    /// It had none, because of this.
    Unanswered { reason: String },
}

impl State {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Waiting => "waiting",
            Self::Answered { .. } => "answered",
            Self::Closed(_) => "closed",
        }
    }
}

/// A deed that the request's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfOrder {
    State(&'static str),
    /// One that nobody answered is closed with a reason.
    ClosingNeedsReason,
}

/// A request for support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportRequest {
    pub id: Id<SupportRequest>,
    pub ask: Ask,
    pub organisation_id: Option<OrganisationId>,
    pub user_id: Option<UserId>,
    /// Whom to answer, until it is closed.
    pub email: Option<Email>,
    pub language: Language,
    pub state: State,
    pub state_at: Instant,
    pub asked_at: Instant,
    pub version: i64,
}

impl SupportRequest {
    /// Whoever asked proved the address.
    ///
    /// # Errors
    /// [`OutOfOrder`] unless it is unconfirmed.
    pub fn confirm(self, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Unconfirmed => Ok(self.step(State::Waiting, now)),
            is => Err(OutOfOrder::State(is.word())),
        }
    }

    /// CO-PI answers; a later answer takes the place of the one before.
    ///
    /// # Errors
    /// [`OutOfOrder`] when it is closed or unconfirmed.
    pub fn answer(self, answer: String, now: Instant) -> Result<Self, OutOfOrder> {
        match self.state {
            State::Waiting | State::Answered { .. } => Ok(self.step(State::Answered { answer }, now)),
            is => Err(OutOfOrder::State(is.word())),
        }
    }

    /// Nothing more is done about it; its address is forgotten.
    ///
    /// # Errors
    /// [`OutOfOrder`] when it is closed or unconfirmed, or has neither answer nor reason.
    pub fn close(self, reason: Option<String>, now: Instant) -> Result<Self, OutOfOrder> {
        let closing = match (&self.state, reason) {
            (State::Answered { answer }, _) => Closing::Answered { answer: answer.clone() },
            (State::Waiting, Some(reason)) => Closing::Unanswered { reason },
            (State::Waiting, None) => return Err(OutOfOrder::ClosingNeedsReason),
            (is, _) => return Err(OutOfOrder::State(is.word())),
        };
        Ok(Self { email: None, ..self.step(State::Closed(closing), now) })
    }

    fn step(self, state: State, now: Instant) -> Self {
        Self { state, state_at: now, version: self.version + 1, ..self }
    }
}

/// A quarter of a year on Danish clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    pub year: i32,
    /// 1 to 4.
    pub number: u32,
}

impl Quarter {
    /// The quarter of a moment.
    #[must_use]
    pub fn of(at: Instant) -> Self {
        let day = copenhagen(at).date_naive();
        Self { year: day.year(), number: day.month0() / 3 + 1 }
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-Q{}", self.year, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_begins_at_danish_midnight() {
        let quarter = |at: &str| Quarter::of(at.parse().unwrap()).to_string();
        assert_eq!(quarter("2026-12-31T22:59:59Z"), "2026-Q4");
        assert_eq!(quarter("2026-12-31T23:00:00Z"), "2027-Q1");
        assert_eq!(quarter("2026-06-30T22:00:00Z"), "2026-Q3");
    }
}
