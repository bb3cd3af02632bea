//! What a dispatch is.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialogue::{Dialogue, Version};
use crate::kernel::{Id, Instant};

/// How far a dispatch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DispatchStatus)]
pub enum Status {
    /// Its recipients are being found.
    Open,
    /// Every recipient has a delivery.
    Expanded,
    /// Every delivery is settled.
    Done,
}

impl Status {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expanded => "expanded",
            Self::Done => "done",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Expanded, Self::Done].into_iter().find(|status| status.word() == word)
    }
}

/// The sending of one notice version to all whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    pub id: Id<Dispatch>,
    pub dialogue_id: Id<Dialogue>,
    pub notice_version_id: Id<Version>,
    pub status: Status,
    /// The last subscription that was looked at.
    pub place: String,
    pub opened_at: Instant,
    pub expanded_at: Option<Instant>,
    pub done_at: Option<Instant>,
}

impl Dispatch {
    /// The dispatch of a version that is published now.
    #[must_use]
    pub fn of(version: &Version) -> Self {
        Self {
            id: Id::made_at(version.published_at),
            dialogue_id: version.dialogue_id,
            notice_version_id: version.id,
            status: Status::Open,
            place: String::new(),
            opened_at: version.published_at,
            expanded_at: None,
            done_at: None,
        }
    }

    /// With its recipients found up to and with this subscription; all of them when there is none beyond.
    #[must_use]
    pub fn expanded_to(self, place: Option<String>, now: Instant) -> Self {
        match place {
            Some(place) => Self { place, ..self },
            None => Self { status: Status::Expanded, expanded_at: Some(now), ..self },
        }
    }

    /// With every delivery settled.
    #[must_use]
    pub fn done(self, now: Instant) -> Self {
        Self { status: Status::Done, done_at: Some(now), ..self }
    }
}
