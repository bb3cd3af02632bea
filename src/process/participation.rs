//! Who takes part in a process, as what, since when; what they want; what happened.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::challenge::Level;
use crate::kernel::{Fitting, Flaws, Id, Money, OrganisationId, Quantity, text};

/// As what an organisation takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ParticipantRole)]
pub enum Role {
    NeedOwner,
    ProcessLead,
    ProjectManager,
    ScalingPartner,
    KnowledgePartner,
    Supporter,
}

impl Role {
    const WORDS: [(Self, &'static str); 6] = [
        (Self::NeedOwner, "need_owner"),
        (Self::ProcessLead, "process_lead"),
        (Self::ProjectManager, "project_manager"),
        (Self::ScalingPartner, "scaling_partner"),
        (Self::KnowledgePartner, "knowledge_partner"),
        (Self::Supporter, "supporter"),
    ];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(role, _)| *role == self).map_or("", |(_, word)| word)
    }

    /// The role of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(role, _)| *role)
    }
}

/// How far an organisation has come into a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParticipantState {
    Interested,
    Invited,
    Guest,
    Partner,
    Left,
}

impl ParticipantState {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Interested, "interested"),
        (Self::Invited, "invited"),
        (Self::Guest, "guest"),
        (Self::Partner, "partner"),
        (Self::Left, "left"),
    ];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| word)
    }

    /// The state of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
    }

    /// Whether the body belongs among the others and sees what they share. Anybody may ask to join; only CO-PI lets in.
    #[must_use]
    pub fn is_let_in(self) -> bool {
        matches!(self, Self::Invited | Self::Guest | Self::Partner)
    }
}

/// An organisation's part in a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "role": "need_owner", "joined_on": "2026-11-22", "state": "partner"}))]
pub struct ParticipantBody {
    #[schema(value_type = String, format = "uuid")]
    pub organisation_id: OrganisationId,
    pub role: Role,
    pub joined_on: NaiveDate,
    pub state: ParticipantState,
    /// The day it left; only with the state `left`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_on: Option<NaiveDate>,
}

impl Fitting for ParticipantBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.date("/joined_on", Some(self.joined_on));
        flaws.date("/left_on", self.left_on);
        if (self.state == ParticipantState::Left) != self.left_on.is_some() {
            let words =
                text!("Den dag, den gik ud, hører til tilstanden left", "The day it left belongs to the state left");
            flaws.add("/left_on", "left_on_with_left", words);
        } else if self.left_on.is_some_and(|left_on| left_on < self.joined_on) {
            flaws.add(
                "/left_on",
                "before_joined_on",
                text!("Den kan ikke gå ud, før den kom med", "It cannot leave before it joined"),
            );
        }
    }
}

/// A participant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Participant {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Participant>,
    pub organisation: String,
    #[serde(flatten)]
    pub body: ParticipantBody,
    /// The day on which it signed the letter of intent, if its signature stands: a partner is not a signatory.
    #[schema(required, nullable)]
    pub signed_on: Option<NaiveDate>,
}

/// What a body wants of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "level": "option",
    "volume": {"quantity": 400, "unit": "plejeboliger"}, "option_value": {"amount": 20_000_000, "currency": "DKK"}}))]
pub struct CommitmentBody {
    #[schema(value_type = String, format = "uuid")]
    pub organisation_id: OrganisationId,
    pub level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Quantity>,
    /// Further volumes, in other units or years; at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 20)]
    pub volumes: Vec<Quantity>,
    /// What it is worth a year, in the prices of the year in which it was said; a rate, as hours saved a year are. A figure
    /// for one year stands in `volumes`, with that year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annual_value: Option<Money>,
    /// A right to buy for up to this; all together stay under the process's cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_value: Option<Money>,
    /// Who signed; at most 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    pub signed_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_on: Option<NaiveDate>,
}

impl Fitting for CommitmentBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        Quantity::check_all(&mut self.volume, &mut self.volumes, flaws);
        for (pointer, value) in [("/annual_value", self.annual_value), ("/option_value", self.option_value)] {
            if let Some(value) = value {
                value.check(pointer, flaws);
            }
        }
        if let Some(name) = &mut self.signed_by {
            flaws.line("/signed_by", name, 1, 120);
        }
        flaws.date("/signed_on", self.signed_on);
        if self.signed_by.is_some() != self.signed_on.is_some() {
            let words = text!("En underskrift har både navn og dato", "A signature has a name and a date");
            flaws.add(if self.signed_by.is_some() { "/signed_on" } else { "/signed_by" }, "required", words);
        }
    }
}

impl CommitmentBody {
    /// All its volumes.
    pub fn all_volumes(&self) -> impl Iterator<Item = &Quantity> {
        self.volume.iter().chain(&self.volumes)
    }

    /// What two bodies want, wanted by the one that follows both; `last` was said last. Levels and figures come together
    /// as in [`RecognitionBody::together`](crate::challenge::RecognitionBody::together); options are rights that pass on
    /// whatever the level, so their sum stays what it was, and under its cap. The signature that stands is the last one
    /// on the level that stands.
    #[must_use]
    pub fn together(first: Self, last: Self) -> Self {
        let level = first.level.max(last.level);
        let stands = |said: &Self| said.level > Level::Withdrawn;
        let option = |said: &Self| said.option_value.filter(|_| stands(said));
        let option_value = Money::together(option(&first), option(&last));
        let (first, last) = match (level.takes_in(first.level), level.takes_in(last.level)) {
            (true, true) => (first, last),
            (true, false) => return Self { option_value, ..first },
            _ => return Self { option_value, ..last },
        };
        let signed = if last.level == level && last.signed_by.is_some() { &last } else { &first };
        let (signed_by, signed_on) = (signed.signed_by.clone(), signed.signed_on);
        let quantities = first.volume.into_iter().chain(first.volumes).chain(last.volume).chain(last.volumes);
        let (volume, volumes) = Quantity::together(quantities);
        Self {
            level,
            volume,
            volumes,
            annual_value: Money::together(first.annual_value, last.annual_value),
            option_value,
            signed_by,
            signed_on,
            ..last
        }
    }
}

/// A commitment, as it was said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Commitment {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Commitment>,
    pub organisation: String,
    #[serde(flatten)]
    pub body: CommitmentBody,
    /// What this level binds to.
    pub binds_to: String,
    /// Whether it stands: a body's newest word, until the body leaves.
    pub counts: bool,
    pub said_by: String,
    pub said_at: DateTime<Utc>,
}

/// How exactly a date is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    #[default]
    Day,
    Month,
    Season,
    Year,
}

/// Something that happened, or a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "needs_workshop", "title": "Workshop om bygherrernes behov", "happened_on": "2022-06-08", "precision": "day"}))]
pub struct TimelineBody {
    /// What kind of event or document; 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub kind: String,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// The first day of the period, where only month, season or year is known.
    pub happened_on: NaiveDate,
    #[serde(default)]
    pub precision: Precision,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri", max_length = 2000)]
    pub url: Option<String>,
}

impl Fitting for TimelineBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/kind", &mut self.kind, 1, 60);
        flaws.line("/title", &mut self.title, 1, 200);
        flaws.no_cpr("/title", &self.title);
        flaws.date("/happened_on", Some(self.happened_on));
        if let Some(url) = &mut self.url {
            flaws.url("/url", url);
        }
    }
}

/// An entry of a process's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<TimelineEntry>,
    #[serde(flatten)]
    pub body: TimelineBody,
}
