//! What a body says in support of its challenge, criterion by criterion.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Flaws, Money, Quantity};

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
    /// Other bodies, by name; at most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub known_bodies: Vec<String>,
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
    /// What it would cost a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annual_value: Option<Money>,
}

impl Scale {
    /// Records what is out of bounds.
    pub fn check(&mut self, flaws: &mut Flaws) {
        flaws.names("/scale/known_bodies", &mut self.known_bodies, 100, 200);
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
    pub recognitions: Vec<Recogniser>,
}
