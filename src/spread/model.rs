//! An adoption: a body takes a solution over, in a way, and comes through stages with it.

pub mod growth;
pub mod outcome;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fitting, Flaws, Id, Language, Money, OrganisationId, Quantity, Text, figure, hours_text, text};
use crate::process::Process;

/// How a solution came to a body that did not develop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Copied,
    Adapted,
    Inspired,
}

impl Way {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Adapted => "adapted",
            Self::Inspired => "inspired",
        }
    }

    /// The way of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Copied, Self::Adapted, Self::Inspired].into_iter().find(|way| way.word() == word)
    }
}

/// How far a body has come with the solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdoptionStage)]
pub enum Stage {
    /// Decided, and not bought yet.
    Planned,
    /// Bought, and not in use yet.
    Bought,
    /// Used in daily work.
    InUse,
    /// The work is done in another way because of it.
    PracticeChanged,
    /// Dropped.
    Ended,
}

impl Stage {
    /// All of them, in the order in which a body comes through them.
    pub const ALL: [Self; 5] = [Self::Planned, Self::Bought, Self::InUse, Self::PracticeChanged, Self::Ended];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Bought => "bought",
            Self::InUse => "in_use",
            Self::PracticeChanged => "practice_changed",
            Self::Ended => "ended",
        }
    }

    /// The stage of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::Planned => text!("Planlagt", "Planned"),
            Self::Bought => text!("Købt, men ikke i brug", "Bought, but not in use"),
            Self::InUse => text!("I brug", "In use"),
            Self::PracticeChanged => text!("I brug, og praksis er ændret", "In use, and practice has changed"),
            Self::Ended => text!("Droppet", "Dropped"),
        }
    }

    /// Whether it counts as spread: the solution is really used.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::InUse | Self::PracticeChanged)
    }

    /// The stage that "in use" or "not in use" stands for, after what was known before. Of a body that never used it, "not in
    /// use" claims the least: that it plans to.
    #[must_use]
    pub fn of_use(in_use: bool, before: Option<Self>) -> Self {
        match (in_use, before) {
            (true, Some(before)) if before.counts() => before,
            (true, _) => Self::InUse,
            (false, Some(before)) if before.counts() => Self::Ended,
            (false, before) => before.unwrap_or(Self::Planned),
        }
    }
}

/// A stage, and the day from which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageEntry {
    pub stage: Stage,
    pub since: NaiveDate,
}

/// What a solution brings a body in a year: expected or realised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SpreadFigures, example = json!({"hours_saved_per_year": 2100.0, "volume": {"quantity": 400.0, "unit": "plejeboliger"},
    "annual_value": {"amount": 900_000, "currency": "DKK"}}))]
pub struct Figures {
    /// 0 to 100,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub hours_saved_per_year: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Quantity>,
    /// What is paid or saved in a year, as the process reckons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annual_value: Option<Money>,
}

impl Figures {
    /// Records what is wrong below `pointer`.
    pub fn check(&mut self, pointer: &str, flaws: &mut Flaws) {
        if let Some(hours) = self.hours_saved_per_year {
            flaws.number(&format!("{pointer}/hours_saved_per_year"), hours, 0.0, 1e8);
        }
        if let Some(volume) = &mut self.volume {
            volume.check(&format!("{pointer}/volume"), flaws);
        }
        if let Some(value) = self.annual_value {
            value.check(&format!("{pointer}/annual_value"), flaws);
        }
    }

    /// The figures in words, one after another; none when nothing is known.
    #[must_use]
    pub fn words(&self) -> Vec<Text> {
        let mut words = Vec::new();
        if let Some(hours) = self.hours_saved_per_year {
            let Text { da, en } = hours_text(hours);
            words.push(text!("{da} om året", "{en} a year"));
        }
        if let Some(Quantity { quantity, unit, .. }) = &self.volume {
            let Text { da, en } = figure(quantity);
            words.push(text!("{da} {unit}", "{en} {unit}"));
        }
        if let Some(Money { amount, currency }) = self.annual_value {
            let Text { da, en } = figure(amount);
            words.push(text!("{da} {currency:?} om året", "{en} {currency:?} a year"));
        }
        words
    }
}

/// Whom to ask what it brought. Seen by CO-PI's staff alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mette Holm", "email": "mette@odense.example", "language": "da"}))]
pub struct BuyerContact {
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    #[schema(format = "email")]
    pub email: String,
    #[serde(default)]
    pub language: Language,
}

/// A body that takes the solution over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "adopted_on": "2026-03-01", "way": "copied", "in_use": true}))]
pub struct AdoptionBody {
    #[schema(value_type = String, format = "uuid")]
    pub organisation_id: OrganisationId,
    pub adopted_on: NaiveDate,
    pub way: Way,
    /// Whether it is really used: a shorter word for a stage. True stands for `in_use`, false for `ended` of a body that
    /// used it and else for `planned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<bool>,
    /// How far it has come; this or `in_use`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// From which day the stage holds; the day of the adoption for the first, today for a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// Who is asked after 6, 12 and 24 months what it brought. Shown to staff alone; sent without, it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<BuyerContact>,
    /// What the body expects of it in a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Figures>,
}

impl Fitting for AdoptionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.date("/adopted_on", Some(self.adopted_on));
        flaws.date("/since", self.since);
        match (self.stage, self.in_use) {
            (None, None) => {
                flaws.add("/stage", "required", text!("Angiv et stadie eller in_use", "Give a stage or in_use"))
            }
            (Some(stage), Some(in_use)) if stage.counts() != in_use => {
                let words = text!("Stadiet og in_use siger hver sit", "The stage and in_use contradict each other");
                flaws.add("/in_use", "contradicts_stage", words);
            }
            _ => {}
        }
        if let Some(contact) = &mut self.contact {
            flaws.line("/contact/name", &mut contact.name, 1, 120);
            flaws.email("/contact/email", &mut contact.email);
        }
        if let Some(expected) = &mut self.expected {
            expected.check("/expected", flaws);
        }
    }
}

/// An adoption.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    pub id: Id<Adoption>,
    pub process_id: Id<Process>,
    pub organisation_id: OrganisationId,
    pub organisation: String,
    pub adopted_on: NaiveDate,
    pub way: Way,
    pub contact: Option<BuyerContact>,
    pub expected: Figures,
    /// Every stage it came through, oldest first; at least one.
    pub stages: Vec<StageEntry>,
}

/// Why a stage cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongStage {
    /// The body is there already.
    Same,
    /// The day lies before that of the stage before.
    BeforePrevious { since: NaiveDate },
}

impl Adoption {
    /// The stage that it stands at.
    #[must_use]
    pub fn stage(&self) -> Option<StageEntry> {
        self.stages.last().copied()
    }

    /// The day on which it was bought, or used at once.
    #[must_use]
    pub fn bought_on(&self) -> Option<NaiveDate> {
        self.stages.iter().find(|entry| entry.stage == Stage::Bought || entry.stage.counts()).map(|entry| entry.since)
    }

    /// Comes to another stage.
    ///
    /// # Errors
    /// [`WrongStage`].
    pub fn reach(mut self, stage: Stage, since: NaiveDate) -> Result<Self, WrongStage> {
        match self.stage() {
            Some(before) if before.stage == stage => Err(WrongStage::Same),
            Some(before) if since < before.since => Err(WrongStage::BeforePrevious { since: before.since }),
            _ => {
                self.stages.push(StageEntry { stage, since });
                Ok(self)
            }
        }
    }

    /// Takes what is told of it anew. A new stage joins the others; the day of a first and only stage can be mended.
    ///
    /// # Errors
    /// [`WrongStage`].
    pub fn told_anew(mut self, body: AdoptionBody, today: NaiveDate) -> Result<Self, WrongStage> {
        let before = self.stage();
        let said = body.stage.or(body.in_use.map(|in_use| Stage::of_use(in_use, before.map(|entry| entry.stage))));
        self.adopted_on = body.adopted_on;
        self.way = body.way;
        self.contact = body.contact;
        self.expected = body.expected.unwrap_or_default();
        let Some(stage) = said else { return Ok(self) };
        match (before, self.stages.as_mut_slice()) {
            (_, []) => self.reach(stage, body.since.unwrap_or(body.adopted_on)),
            (_, [only]) if only.stage == stage => {
                only.since = body.since.unwrap_or(body.adopted_on);
                Ok(self)
            }
            (Some(before), _) if before.stage == stage => Ok(self),
            _ => self.reach(stage, body.since.unwrap_or(today)),
        }
    }
}
