//! What a body says in support of its challenge, criterion by criterion.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Flaws, Instant, Money, Quantity, Text, fold, text};

/// How a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    Measured,
    Estimated,
    Assumed,
}

/// Working time that would be freed. Either hours a year, or minutes × occasions × staff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSavings {
    /// Minutes saved each time, 0 to 1,440.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1440)]
    pub minutes_per_occasion: Option<f64>,
    /// How often a week, for each of the staff; 0 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_000)]
    pub occasions_per_week: Option<f64>,
    /// How many people do it; 0 to 1,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub staff_count: Option<f64>,
    /// Hours a year, where they are known as such; 0 to 100,000,000. Counts before the product of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub hours_per_year: Option<f64>,
    pub basis: Basis,
    /// Whether quality gets better too. Better quality alone saves no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_gain: Option<bool>,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

impl TimeSavings {
    /// Hours a year: as given, or minutes × occasions × staff over 52 weeks; `None` while a factor is missing.
    #[must_use]
    pub fn hours(&self) -> Option<f64> {
        let product = || Some(self.minutes_per_occasion? / 60.0 * self.occasions_per_week? * self.staff_count? * 52.0);
        self.hours_per_year.or_else(product)
    }

    /// Records what is out of bounds.
    pub fn check(&mut self, flaws: &mut Flaws) {
        let mut number = |name: &str, value: Option<f64>, most: f64| {
            if let Some(value) = value {
                flaws.number(&format!("/time_savings/{name}"), value, 0.0, most);
            }
        };
        number("minutes_per_occasion", self.minutes_per_occasion, 1440.0);
        number("occasions_per_week", self.occasions_per_week, 10_000.0);
        number("staff_count", self.staff_count, 1_000_000.0);
        number("hours_per_year", self.hours_per_year, 100_000_000.0);
        if let Some(note) = &mut self.note {
            flaws.prose("/time_savings/note", note, 0, 2000);
        }
    }
}

/// What a reduction is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReductionKind {
    Co2,
    RawMaterial,
    Energy,
    Other,
}

/// Emissions or resources that would be saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reduction {
    pub kind: ReductionKind,
    /// 0 to 1,000,000,000,000 a year.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub quantity: f64,
    /// 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60, example = "ton CO2 pr. år")]
    pub unit: String,
    pub basis: Basis,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
}

impl Reduction {
    /// Records what is out of bounds.
    pub fn check(&mut self, flaws: &mut Flaws) {
        flaws.number("/reduction/quantity", self.quantity, 0.0, 1e12);
        flaws.line("/reduction/unit", &mut self.unit, 1, 60);
        if let Some(note) = &mut self.note {
            flaws.prose("/reduction/note", note, 0, 2000);
        }
    }
}

/// Who else has it, and how much of it there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Other bodies, by name; at most 100. An empty list says that no other is known, which is more than saying nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub known_bodies: Option<Vec<String>>,
    /// How many bodies are thought to have it, 0 to 100,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000)]
    pub estimated_bodies: Option<u32>,
    /// How many people it touches, 0 to 1,000,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub affected_people: Option<u32>,
    /// How much would be needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Quantity>,
    /// What it would cost a year, in the prices of the year in which it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annual_value: Option<Money>,
}

impl Scale {
    /// Records what is out of bounds.
    pub fn check(&mut self, flaws: &mut Flaws) {
        if let Some(names) = &mut self.known_bodies {
            flaws.names("/scale/known_bodies", names, 100, 200);
        }
        for (name, value, most) in [
            ("estimated_bodies", self.estimated_bodies, 100_000.0),
            ("affected_people", self.affected_people, 1_000_000_000.0),
        ] {
            if let Some(value) = value {
                flaws.number(&format!("/scale/{name}"), f64::from(value), 0.0, most);
            }
        }
        if let Some(volume) = &mut self.volume {
            volume.check("/scale/volume", flaws);
        }
        if let Some(value) = self.annual_value {
            value.check("/scale/annual_value", flaws);
        }
    }

    /// Whether it says how much there is.
    #[must_use]
    pub fn has_volume(&self) -> bool {
        self.volume.as_ref().is_some_and(|volume| volume.quantity > 0.0)
            || self.annual_value.is_some_and(|value| value.amount > 0)
            || self.affected_people.is_some_and(|people| people > 0)
    }
}

/// Somebody in the top who stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sponsor {
    /// 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// Their position; 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title: String,
    /// When they took it on.
    pub date: NaiveDate,
}

/// The two sides of the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnchoringSide)]
pub enum Side {
    Political,
    Administrative,
}

impl Side {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Political, Self::Administrative];

    /// The word that stands in the database and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Political => "political",
            Self::Administrative => "administrative",
        }
    }

    /// The side of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|side| side.word() == word)
    }

    /// For people.
    #[must_use]
    pub fn name(self) -> Text {
        match self {
            Self::Political => text!("politisk", "political"),
            Self::Administrative => text!("administrativ", "administrative"),
        }
    }
}

/// What a sponsor said when asked; until then the body's word alone stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Backing {
    /// The body says so; nobody asked the sponsor.
    #[default]
    Claimed,
    /// The sponsor has a mail, and has not answered. `refused_before`: the answer to an earlier mail was no.
    Asked { asked_at: Instant, refused_before: bool },
    /// The sponsor said yes to the text as it stands.
    Confirmed { confirmed_at: Instant },
    /// The sponsor said no.
    Refused { refused_at: Instant, reason: Option<String> },
}

/// What the two sponsors said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backings {
    pub political: Backing,
    pub administrative: Backing,
}

impl Backings {
    /// What this side's sponsor said.
    #[must_use]
    pub fn of(&self, side: Side) -> &Backing {
        match side {
            Side::Political => &self.political,
            Side::Administrative => &self.administrative,
        }
    }

    /// With what this side's sponsor said.
    #[must_use]
    pub fn with(mut self, side: Side, said: Backing) -> Self {
        match side {
            Side::Political => self.political = said,
            Side::Administrative => self.administrative = said,
        }
        self
    }
}

/// Whether the top stands behind it, politically and administratively.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchoring {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub political: Option<Sponsor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrative: Option<Sponsor>,
}

impl Anchoring {
    /// The sponsor of this side, if one is named.
    #[must_use]
    pub fn sponsor(&self, side: Side) -> Option<&Sponsor> {
        match side {
            Side::Political => self.political.as_ref(),
            Side::Administrative => self.administrative.as_ref(),
        }
    }

    /// Whether one person is named on both sides.
    #[must_use]
    pub fn is_one_person(&self) -> bool {
        let names = Side::BOTH.map(|side| self.sponsor(side).map(|sponsor| fold(sponsor.name.trim())));
        names[0].is_some() && names[0] == names[1]
    }

    /// Records what is out of bounds.
    pub fn check(&mut self, flaws: &mut Flaws) {
        for (side, sponsor) in [("political", &mut self.political), ("administrative", &mut self.administrative)] {
            if let Some(sponsor) = sponsor {
                flaws.line(&format!("/anchoring/{side}/name"), &mut sponsor.name, 1, 120);
                flaws.line(&format!("/anchoring/{side}/title"), &mut sponsor.title, 1, 120);
                flaws.date(&format!("/anchoring/{side}/date"), Some(sponsor.date));
            }
        }
    }
}

/// Another body that said "det har vi også".
#[derive(Clone, Debug, PartialEq)]
pub struct Recogniser {
    pub organisation: String,
    /// Whether it gave figures of its own: volume, value or hours.
    pub has_volume: bool,
}

/// All that is held against a criteria set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The body that owns the challenge; none in a check without sign-in.
    pub owner: Option<String>,
    pub time_savings: Option<TimeSavings>,
    pub reduction: Option<Reduction>,
    pub scale: Option<Scale>,
    pub anchoring: Option<Anchoring>,
    /// What the sponsors said themselves.
    pub backings: Backings,
    pub recognitions: Vec<Recogniser>,
}
