//! What the participants together want, by commitment level. A body counts once, at the level it said last, however
//! many challenges it has in the process; nothing here is typed by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::challenge::Level;
use crate::kernel::{Currency, Instant, Money, OrganisationId, Quantity};

/// What one body said, in one place.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub volume: Option<Quantity>,
    pub annual_value: Option<Money>,
    pub option_value: Option<Money>,
    pub hours_per_year: Option<f64>,
}

/// Where a body said it, from weakest to strongest: a later source overrules an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// It owns a challenge in the process.
    Challenge,
    /// It recognised one.
    Recognition,
    /// It committed itself to the process.
    Commitment,
}

/// One body's word.
#[derive(Clone, Debug)]
pub struct Voice {
    pub body: OrganisationId,
    pub level: Level,
    pub source: Source,
    pub figures: Figures,
}

/// What one level holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct LevelDemand {
    pub bodies: usize,
    /// By unit.
    pub volume: Vec<Quantity>,
    /// In Danish kroner.
    #[schema(required, nullable)]
    pub annual_value: Option<Money>,
    /// What was stated in other currencies; it is not converted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub other_currencies: Vec<Money>,
}

/// The aggregated demand of a process.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"as_of": "2026-11-22T08:00:00Z", "bodies": 2, "by_level": {"intends": {"bodies": 2,
    "volume": [{"quantity": 1600.0, "unit": "plejeboliger"}], "annual_value": {"amount": 4_000_000, "currency": "DKK"}}},
    "hours_saved_per_year": 7280.0, "full_time_equivalents": 3.78, "option_sum": null, "option_cap": null}))]
pub struct Demand {
    pub as_of: DateTime<Utc>,
    /// Distinct bodies, at whatever level.
    pub bodies: usize,
    #[schema(value_type = BTreeMap<String, LevelDemand>)]
    pub by_level: BTreeMap<&'static str, LevelDemand>,
    pub hours_saved_per_year: f64,
    /// At 1,924 hours a year (gross).
    pub full_time_equivalents: f64,
    #[schema(required, nullable)]
    pub option_sum: Option<Money>,
    #[schema(required, nullable)]
    pub option_cap: Option<Money>,
}

/// A gross working year in hours: 52 weeks of 37 hours.
const GROSS_YEAR: f64 = 1924.0;

/// One body, after all its words were heard.
struct Heard {
    level: Level,
    source: Source,
    figures: Figures,
}

/// Adds the voices up.
#[must_use]
pub fn aggregate(voices: &[Voice], option_cap: Option<Money>, now: Instant) -> Demand {
    let mut bodies: BTreeMap<OrganisationId, Heard> = BTreeMap::new();
    let mut weakest_first: Vec<&Voice> = voices.iter().collect();
    weakest_first.sort_by_key(|voice| voice.source);
    for voice in weakest_first {
        match bodies.get_mut(&voice.body) {
            None => {
                let heard = Heard { level: voice.level, source: voice.source, figures: voice.figures.clone() };
                bodies.insert(voice.body, heard);
            }
            Some(heard) => heard.hear(voice),
        }
    }
    bodies.retain(|_, heard| heard.level > Level::Withdrawn);

    let mut by_level: BTreeMap<&'static str, LevelDemand> = BTreeMap::new();
    for heard in bodies.values() {
        let level = by_level.entry(heard.level.word()).or_default();
        level.bodies += 1;
        if let Some(volume) = &heard.figures.volume {
            level.add_volume(volume);
        }
        if let Some(value) = heard.figures.annual_value {
            level.add_value(value);
        }
    }
    // An empty sum of floats is −0, which would be shown.
    let hours = bodies.values().filter_map(|heard| heard.figures.hours_per_year).fold(0.0, |sum, hours| sum + hours);
    let options: Vec<Money> = bodies.values().filter_map(|heard| heard.figures.option_value).collect();
    let currency = option_cap.map_or(Currency::DKK, |cap| cap.currency);
    let option_sum = (!options.is_empty()).then(|| Money {
        amount: options.iter().filter(|option| option.currency == currency).map(|option| option.amount).sum(),
        currency,
    });
    Demand {
        as_of: now,
        bodies: bodies.len(),
        by_level,
        hours_saved_per_year: round(hours),
        full_time_equivalents: round(hours / GROSS_YEAR),
        option_sum,
        option_cap,
    }
}

impl Heard {
    /// Voices come weakest source first. A stronger one sets the level and overrules the figures it gives; among equals, such as two challenges of
    /// one body, the larger figure stands, since both tell of the same shared need.
    fn hear(&mut self, voice: &Voice) {
        let Voice { level, source, figures, .. } = voice;
        if *source == self.source {
            self.level = self.level.max(*level);
            self.figures = self.figures.larger_of(figures);
            return;
        }
        self.figures = Figures {
            volume: figures.volume.clone().or_else(|| self.figures.volume.clone()),
            annual_value: figures.annual_value.or(self.figures.annual_value),
            option_value: figures.option_value.or(self.figures.option_value),
            hours_per_year: figures.hours_per_year.or(self.figures.hours_per_year),
        };
        (self.level, self.source) = (*level, *source);
    }
}

impl Figures {
    fn larger_of(&self, other: &Self) -> Self {
        let money = |a: Option<Money>, b: Option<Money>| a.into_iter().chain(b).max_by_key(|money| money.amount);
        let volumes = self.volume.iter().chain(&other.volume);
        Self {
            volume: volumes.max_by(|a, b| a.quantity.total_cmp(&b.quantity)).cloned(),
            annual_value: money(self.annual_value, other.annual_value),
            option_value: money(self.option_value, other.option_value),
            hours_per_year: self.hours_per_year.into_iter().chain(other.hours_per_year).max_by(f64::total_cmp),
        }
    }
}

impl LevelDemand {
    fn add_volume(&mut self, volume: &Quantity) {
        match self.volume.iter_mut().find(|known| known.unit.to_lowercase() == volume.unit.to_lowercase()) {
            Some(known) => known.quantity += volume.quantity,
            None => self.volume.push(volume.clone()),
        }
    }

    fn add_value(&mut self, value: Money) {
        if value.currency == Currency::DKK {
            self.annual_value.get_or_insert(Money::dkk(0)).amount += value.amount;
        } else {
            match self.other_currencies.iter_mut().find(|known| known.currency == value.currency) {
                Some(known) => known.amount += value.amount,
                None => self.other_currencies.push(value),
            }
        }
    }
}

fn round(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

impl Demand {
    /// As comma-separated values (RFC 4180), a line a level and unit.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::from("as_of,level,bodies,quantity,unit,annual_value,currency\r\n");
        for (word, level) in &self.by_level {
            let quantities = level.volume.iter().map(|volume| (volume.quantity.to_string(), csv_field(&volume.unit)));
            let mut cells: Vec<(String, String)> = quantities.collect();
            if cells.is_empty() {
                cells.push((String::new(), String::new()));
            }
            // The money of a level stands on its first line only, so that a column's sum is right.
            for (index, (quantity, unit)) in cells.into_iter().enumerate() {
                let value = level.annual_value.filter(|_| index == 0).map(|value| value.amount.to_string());
                let bodies = if index == 0 { level.bodies.to_string() } else { String::new() };
                csv.push_str(&format!(
                    "{},{word},{bodies},{quantity},{unit},{},{}\r\n",
                    self.as_of.to_rfc3339(),
                    value.clone().unwrap_or_default(),
                    if value.is_some() { "DKK" } else { "" },
                ));
            }
        }
        csv
    }
}

fn csv_field(text: &str) -> String {
    // A leading sign would make a spreadsheet take the unit for a formula.
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(number: u8) -> OrganisationId {
        OrganisationId::from_bytes([number; 16])
    }

    fn voice(number: u8, level: Level, source: Source, beds: f64) -> Voice {
        let volume = Some(Quantity { quantity: beds, unit: "senge".into() });
        Voice { body: body(number), level, source, figures: Figures { volume, ..Figures::default() } }
    }

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_body_with_two_challenges_counts_once_with_its_larger_figure() {
        let voices = [
            voice(1, Level::Recognises, Source::Challenge, 40.0),
            voice(1, Level::Recognises, Source::Challenge, 60.0),
        ];
        let demand = aggregate(&voices, None, now());
        assert_eq!(demand.bodies, 1);
        assert_eq!(demand.by_level["recognises"].volume, [Quantity { quantity: 60.0, unit: "senge".into() }]);
    }

    #[test]
    fn what_was_said_to_the_process_overrules_what_was_said_of_a_challenge() {
        let mut silent = voice(1, Level::Intends, Source::Commitment, 0.0);
        silent.figures.volume = None;
        let demand = aggregate(&[voice(1, Level::Recognises, Source::Challenge, 40.0), silent], None, now());
        assert_eq!(demand.by_level["intends"].bodies, 1);
        assert_eq!(
            demand.by_level["intends"].volume.first().unwrap().quantity,
            40.0,
            "figures not given again still stand"
        );
        assert!(!demand.by_level.contains_key("recognises"));
    }

    #[test]
    fn who_withdrew_is_not_counted() {
        let voices = [
            voice(1, Level::Recognises, Source::Challenge, 40.0),
            voice(1, Level::Withdrawn, Source::Commitment, 40.0),
        ];
        assert_eq!(aggregate(&voices, None, now()).bodies, 0);
    }

    #[test]
    fn a_unit_that_looks_like_a_formula_stays_text_in_csv() {
        let mut odd = voice(1, Level::Intends, Source::Commitment, 1.0);
        odd.figures.volume = Some(Quantity { quantity: 1.0, unit: "=SUM(A1), \"x\"".into() });
        assert!(aggregate(&[odd], None, now()).csv().contains("\"'=SUM(A1), \"\"x\"\"\""));
    }

    proptest! {
        #[test]
        fn the_order_of_voices_does_not_matter_and_bodies_are_distinct(
            said in prop::collection::vec((0_u8..5, 0_usize..6, 0_u8..3, 0.0..100.0), 0..20)
        ) {
            let source = |number| [Source::Challenge, Source::Recognition, Source::Commitment][usize::from(number)];
            let voices: Vec<Voice> = said.iter().map(|&(who, level, from, beds)| voice(who, Level::ALL[level], source(from), beds)).collect();
            let mut backwards = voices.clone();
            backwards.reverse();
            let (one, other) = (aggregate(&voices, None, now()), aggregate(&backwards, None, now()));
            prop_assert_eq!(one.bodies, other.bodies);
            prop_assert_eq!(one.by_level.values().map(|level| level.bodies).sum::<usize>(), one.bodies);
            prop_assert_eq!(one.by_level, other.by_level);
        }
    }
}
