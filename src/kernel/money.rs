//! Amounts: money in whole units and quantities with their unit.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Flaws, text};

/// The currencies a public body here reckons in (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Currency {
    DKK,
    EUR,
    NOK,
    SEK,
}

/// An amount of money in whole units, excluding VAT; 0 to 1,000,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 160_000_000, "currency": "DKK"}))]
pub struct Money {
    /// Whole units, excluding VAT.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount: i64,
    pub currency: Currency,
}

impl Money {
    /// The largest amount that is believed.
    pub const MAX: i64 = 1_000_000_000_000;

    /// Danish kroner.
    #[must_use]
    pub fn dkk(amount: i64) -> Self {
        Self { amount, currency: Currency::DKK }
    }

    /// Records a flaw at `pointer` when the amount is negative or beyond belief.
    pub fn check(self, pointer: &str, flaws: &mut Flaws) {
        if !(0..=Self::MAX).contains(&self.amount) {
            let max = Self::MAX;
            flaws.add(
                &format!("{pointer}/amount"),
                "out_of_range",
                text!("Beløbet skal ligge mellem 0 og {max}", "The amount must lie between 0 and {max}"),
            );
        }
    }

    /// Two amounts as one: the sum, or the last one where currencies differ or nothing was said before.
    #[must_use]
    pub fn together(first: Option<Self>, last: Option<Self>) -> Option<Self> {
        match (first, last) {
            (Some(one), Some(other)) if one.currency == other.currency => {
                Some(Self { amount: one.amount.saturating_add(other.amount).min(Self::MAX), ..other })
            }
            (one, other) => other.or(one),
        }
    }
}

/// A number of something: 120 `beds`, 75,000 `tonnes CO2/year`; perhaps in a year.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 120.0, "unit": "pladser"}))]
pub struct Quantity {
    /// From 0 to 1,000,000,000,000.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub quantity: f64,
    /// What is counted; 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub unit: String,
    /// The year it is wanted in, 2000 to 2100, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 2000, maximum = 2100)]
    pub year: Option<i32>,
}

impl Quantity {
    /// Trims the unit and records what is wrong below `pointer`.
    pub fn check(&mut self, pointer: &str, flaws: &mut Flaws) {
        flaws.number(&format!("{pointer}/quantity"), self.quantity, 0.0, 1e12);
        flaws.line(&format!("{pointer}/unit"), &mut self.unit, 1, 60);
        if let Some(year) = self.year {
            flaws.number(&format!("{pointer}/year"), f64::from(year), 2000.0, 2100.0);
        }
    }

    /// Checks a list of further volumes beside the one that stands alone: at most 20, each unit and year once.
    pub fn check_all(alone: &mut Option<Self>, further: &mut [Self], flaws: &mut Flaws) {
        let mut seen = Vec::new();
        if let Some(volume) = alone {
            volume.check("/volume", flaws);
            seen.push(volume.key());
        }
        flaws.count("/volumes", further, 0, 20);
        for (index, volume) in further.iter_mut().enumerate() {
            let pointer = format!("/volumes/{index}");
            volume.check(&pointer, flaws);
            if seen.contains(&volume.key()) {
                let words = text!("Enheden og året er angivet før", "This unit and year were given before");
                flaws.add(&pointer, "twice", words);
            }
            seen.push(volume.key());
        }
    }

    /// What makes two quantities figures for the same: unit, whatever its letter case, and year.
    #[must_use]
    pub fn key(&self) -> (String, Option<i32>) {
        (self.unit.to_lowercase(), self.year)
    }

    /// All of these added up, those of one unit and year together; the first stands alone, the others beside it.
    #[must_use]
    pub fn together(all: impl IntoIterator<Item = Self>) -> (Option<Self>, Vec<Self>) {
        let mut sums: Vec<Self> = Vec::new();
        for one in all {
            match sums.iter_mut().find(|sum| sum.key() == one.key()) {
                Some(sum) => sum.quantity += one.quantity,
                None => sums.push(one),
            }
        }
        let mut sums = sums.into_iter();
        (sums.next(), sums.collect())
    }
}
