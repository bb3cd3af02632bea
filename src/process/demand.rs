//! What the participants together want: by commitment level, by unit, by year and by region. A body counts once, at the
//! level it said last, however many challenges it has in the process; nothing here is typed by hand.

mod csv;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::challenge::Level;
use crate::kernel::{Currency, Instant, Money, OrganisationId, Quantity};

pub use csv::By;

/// What one body said, in one place.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Each unit and year once.
    pub volumes: Vec<Quantity>,
    pub annual_value: Option<Money>,
    pub option_value: Option<Money>,
    pub hours: Option<Hours>,
}

/// Hours that are freed, and what makes a full-time equivalent of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hours {
    pub per_year: f64,
    /// Hours that make one full-time equivalent, by the criteria set of the challenge that they are told of.
    pub working_year: f64,
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

/// Where bodies are, by their ids: a region's NUTS code and, while a list is loaded, its name.
pub type Regions = HashMap<OrganisationId, Region>;

/// A region at NUTS level 2: in Denmark, the five regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    pub nuts: String,
    pub name: Option<String>,
}

/// What several bodies add up to.
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

/// What is wanted in one year.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"year": 2028, "bodies": 1, "volume": [{"quantity": 400.0, "unit": "plejeboliger"}]}))]
pub struct YearDemand {
    /// None for volumes that name no year.
    #[schema(required, nullable)]
    pub year: Option<i32>,
    /// Bodies that want something in it.
    pub bodies: usize,
    /// By unit.
    pub volume: Vec<Quantity>,
}

/// What is wanted in one region.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"nuts": "DK03", "name": "Syddanmark", "bodies": 2, "volume": [{"quantity": 1600.0, "unit": "plejeboliger"}],
    "annual_value": null, "hours_saved_per_year": 7280.0}))]
pub struct RegionDemand {
    /// The region that a body says it is in, at NUTS level 2; none for bodies that say nothing of it.
    #[schema(required, nullable)]
    pub nuts: Option<String>,
    /// Its name, where a list of codes is loaded.
    #[schema(required, nullable)]
    pub name: Option<String>,
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
    pub hours_saved_per_year: f64,
}

/// The aggregated demand of a process.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"as_of": "2026-11-22T08:00:00Z", "bodies": 2, "by_level": {"intends": {"bodies": 2,
    "volume": [{"quantity": 1600.0, "unit": "plejeboliger"}], "annual_value": {"amount": 4_000_000, "currency": "DKK"}}},
    "by_year": [{"year": 2028, "bodies": 2, "volume": [{"quantity": 1600.0, "unit": "plejeboliger"}]}],
    "by_region": [{"nuts": "DK03", "name": "Syddanmark", "bodies": 2, "volume": [{"quantity": 1600.0, "unit": "plejeboliger"}],
        "annual_value": {"amount": 4_000_000, "currency": "DKK"}, "hours_saved_per_year": 7280.0}],
    "hours_saved_per_year": 7280.0, "full_time_equivalents": 3.78, "option_sum": null, "option_cap": null}))]
pub struct Demand {
    pub as_of: DateTime<Utc>,
    /// Distinct bodies, at whatever level.
    pub bodies: usize,
    #[schema(value_type = BTreeMap<String, LevelDemand>)]
    pub by_level: BTreeMap<&'static str, LevelDemand>,
    /// Volumes by the year they are wanted in, earliest first; those without a year first of all.
    pub by_year: Vec<YearDemand>,
    /// By where the bodies are; those who do not say first of all.
    pub by_region: Vec<RegionDemand>,
    pub hours_saved_per_year: f64,
    /// At the hours that the criteria set of each challenge holds for one; 1,924 a year (gross) unless it says otherwise.
    pub full_time_equivalents: f64,
    #[schema(required, nullable)]
    pub option_sum: Option<Money>,
    #[schema(required, nullable)]
    pub option_cap: Option<Money>,
}

/// One body's level and figures.
pub type Heard = (Level, Figures);

/// What each body wants, whatever it said where: the level it said last at the strongest source, and the figures that
/// stand. Who withdrew is among them, at that level.
#[must_use]
pub fn heard(voices: &[Voice]) -> BTreeMap<OrganisationId, Heard> {
    let mut said: BTreeMap<(OrganisationId, Source), Heard> = BTreeMap::new();
    for Voice { body, level, source, figures } in voices {
        let (highest, larger) = said.entry((*body, *source)).or_insert_with(|| (*level, Figures::default()));
        *highest = (*highest).max(*level);
        *larger = larger.larger_of(figures);
    }
    // In the order of the sources, so that a stronger one sets the level and overrules the figures it gives.
    let mut bodies: BTreeMap<OrganisationId, Heard> = BTreeMap::new();
    for ((body, _), (level, figures)) in said {
        let (highest, known) = bodies.entry(body).or_insert_with(|| (level, Figures::default()));
        *highest = level;
        *known = known.overruled_by(figures);
    }
    bodies
}

/// Adds the voices up.
#[must_use]
pub fn aggregate(voices: &[Voice], regions: &Regions, option_cap: Option<Money>, now: Instant) -> Demand {
    let mut bodies = heard(voices);
    bodies.retain(|_, (level, _)| *level > Level::Withdrawn);

    let mut by_level: BTreeMap<&'static str, LevelDemand> = BTreeMap::new();
    let mut by_year: BTreeMap<Option<i32>, YearDemand> = BTreeMap::new();
    let mut by_region: BTreeMap<Option<&Region>, (LevelDemand, f64)> = BTreeMap::new();
    for (body, (level, figures)) in &bodies {
        by_level.entry(level.word()).or_default().add(figures);
        let (region, hours) = by_region.entry(regions.get(body)).or_default();
        region.add(figures);
        *hours += figures.hours.map_or(0.0, |hours| hours.per_year);
        let mut years: Vec<Option<i32>> = figures.volumes.iter().map(|volume| volume.year).collect();
        years.sort_unstable();
        years.dedup();
        for year in years {
            let of_year = by_year.entry(year).or_insert(YearDemand { year, bodies: 0, volume: Vec::new() });
            of_year.bodies += 1;
            figures
                .volumes
                .iter()
                .filter(|volume| volume.year == year)
                .for_each(|v| add_volume(&mut of_year.volume, v));
        }
    }
    // An empty sum of floats is −0, which would be shown.
    let all_hours = || bodies.values().filter_map(|(_, figures)| figures.hours);
    let hours = all_hours().fold(0.0, |sum, hours| sum + hours.per_year);
    let full_time_equivalents = all_hours().fold(0.0, |sum, hours| sum + hours.per_year / hours.working_year);
    let options: Vec<Money> = bodies.values().filter_map(|(_, figures)| figures.option_value).collect();
    let currency = option_cap.map_or(Currency::DKK, |cap| cap.currency);
    let option_sum = (!options.is_empty()).then(|| Money {
        amount: options.iter().filter(|option| option.currency == currency).map(|option| option.amount).sum(),
        currency,
    });
    let in_region = |(region, (sums, hours)): (Option<&Region>, (LevelDemand, f64))| RegionDemand {
        nuts: region.map(|region| region.nuts.clone()),
        name: region.and_then(|region| region.name.clone()),
        bodies: sums.bodies,
        volume: sums.volume,
        annual_value: sums.annual_value,
        other_currencies: sums.other_currencies,
        hours_saved_per_year: round(hours),
    };
    Demand {
        as_of: now,
        bodies: bodies.len(),
        by_level,
        by_year: by_year.into_values().collect(),
        by_region: by_region.into_iter().map(in_region).collect(),
        hours_saved_per_year: round(hours),
        full_time_equivalents: round(full_time_equivalents),
        option_sum,
        option_cap,
    }
}

impl Figures {
    /// What stands when a stronger source spoke: its figures, and where it gives none, those from before.
    fn overruled_by(&self, stronger: Self) -> Self {
        Self {
            volumes: if stronger.volumes.is_empty() { self.volumes.clone() } else { stronger.volumes },
            annual_value: stronger.annual_value.or(self.annual_value),
            option_value: stronger.option_value.or(self.option_value),
            hours: stronger.hours.or(self.hours),
        }
    }

    /// Among equals, such as two challenges of one body, the larger figure stands: both tell of the same shared need.
    fn larger_of(&self, other: &Self) -> Self {
        let money = |a: Option<Money>, b: Option<Money>| a.into_iter().chain(b).max_by_key(|money| money.amount);
        let mut volumes: BTreeMap<(String, Option<i32>), &Quantity> = BTreeMap::new();
        for volume in self.volumes.iter().chain(&other.volumes) {
            let place = volumes.entry(volume.key()).or_insert(volume);
            let larger = place.quantity.total_cmp(&volume.quantity).then_with(|| place.unit.cmp(&volume.unit));
            if larger.is_lt() {
                *place = volume;
            }
        }
        Self {
            volumes: volumes.into_values().cloned().collect(),
            annual_value: money(self.annual_value, other.annual_value),
            option_value: money(self.option_value, other.option_value),
            hours: self.hours.into_iter().chain(other.hours).max_by(|one, other| {
                let years = || one.working_year.total_cmp(&other.working_year);
                one.per_year.total_cmp(&other.per_year).then_with(years)
            }),
        }
    }
}

/// Adds a volume to the sum of its unit, over all years.
pub fn add_volume(sums: &mut Vec<Quantity>, volume: &Quantity) {
    match sums.iter_mut().find(|known| known.unit.to_lowercase() == volume.unit.to_lowercase()) {
        Some(known) => known.quantity += volume.quantity,
        None => sums.push(Quantity { year: None, ..volume.clone() }),
    }
}

impl LevelDemand {
    /// Adds one more body.
    fn add(&mut self, figures: &Figures) {
        self.bodies += 1;
        figures.volumes.iter().for_each(|volume| add_volume(&mut self.volume, volume));
        let Some(value) = figures.annual_value else { return };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(number: u8) -> OrganisationId {
        OrganisationId::from_bytes([number; 16])
    }

    fn beds(quantity: f64, year: Option<i32>) -> Quantity {
        Quantity { quantity, unit: "senge".into(), year }
    }

    fn voice(number: u8, level: Level, source: Source, quantity: f64) -> Voice {
        let volumes = vec![beds(quantity, None)];
        Voice { body: body(number), level, source, figures: Figures { volumes, ..Figures::default() } }
    }

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn sum(voices: &[Voice]) -> Demand {
        aggregate(voices, &Regions::new(), None, now())
    }

    #[test]
    fn a_body_with_two_challenges_counts_once_with_its_larger_figure() {
        let voices = [
            voice(1, Level::Recognises, Source::Challenge, 40.0),
            voice(1, Level::Recognises, Source::Challenge, 60.0),
        ];
        let demand = sum(&voices);
        assert_eq!(demand.bodies, 1);
        assert_eq!(demand.by_level["recognises"].volume, [beds(60.0, None)]);
    }

    #[test]
    fn what_was_said_to_the_process_overrules_what_was_said_of_a_challenge() {
        let mut silent = voice(1, Level::Intends, Source::Commitment, 0.0);
        silent.figures.volumes.clear();
        let demand = sum(&[voice(1, Level::Recognises, Source::Challenge, 40.0), silent]);
        assert_eq!(demand.by_level["intends"].bodies, 1);
        assert_eq!(demand.by_level["intends"].volume, [beds(40.0, None)], "figures not given again still stand");
        assert!(!demand.by_level.contains_key("recognises"));
    }

    #[test]
    fn who_withdrew_is_not_counted() {
        let voices = [
            voice(1, Level::Recognises, Source::Challenge, 40.0),
            voice(1, Level::Withdrawn, Source::Commitment, 40.0),
        ];
        assert_eq!(sum(&voices).bodies, 0);
    }

    #[test]
    fn hours_become_full_time_equivalents_by_the_working_year_they_were_told_with() {
        let spends = |number, per_year, working_year| {
            let figures = Figures { hours: Some(Hours { per_year, working_year }), ..Figures::default() };
            Voice { body: body(number), level: Level::Recognises, source: Source::Challenge, figures }
        };
        let demand = sum(&[spends(1, 1924.0, 1924.0), spends(2, 1600.0, 1600.0), spends(2, 800.0, 400.0)]);
        assert_eq!((demand.hours_saved_per_year, demand.full_time_equivalents), (3524.0, 2.0));
    }

    #[test]
    fn years_and_regions_add_up_each_by_themselves() {
        let spread = |number, volumes: &[Quantity]| {
            let figures = Figures { volumes: volumes.to_vec(), ..Figures::default() };
            Voice { body: body(number), level: Level::Intends, source: Source::Commitment, figures }
        };
        let voices = [
            spread(1, &[beds(100.0, Some(2027)), beds(200.0, Some(2028))]),
            spread(2, &[beds(5.0, Some(2028))]),
            spread(3, &[beds(7.0, None)]),
        ];
        let region = |nuts: &str| Region { nuts: nuts.into(), name: None };
        let regions = Regions::from([(body(1), region("DK03")), (body(2), region("DK03"))]);
        let demand = aggregate(&voices, &regions, None, now());
        let years: Vec<_> = demand.by_year.iter().map(|y| (y.year, y.bodies, y.volume[0].quantity)).collect();
        assert_eq!(years, [(None, 1, 7.0), (Some(2027), 1, 100.0), (Some(2028), 2, 205.0)]);
        let places: Vec<_> =
            demand.by_region.iter().map(|r| (r.nuts.as_deref(), r.bodies, r.volume[0].quantity)).collect();
        assert_eq!(places, [(None, 1, 7.0), (Some("DK03"), 2, 305.0)]);
        assert_eq!(demand.by_level["intends"].volume, [beds(312.0, None)]);
    }

    prop_compose! {
        fn some_voice()(
            who in 0_u8..5, level in 0_usize..6, from in 0_usize..3,
            volumes in prop::collection::btree_map(prop::option::of(2027..2030), 0.0..100.0, 0..3),
        ) -> Voice {
            let volumes = volumes.into_iter().map(|(year, quantity)| beds(quantity, year)).collect();
            let source = [Source::Challenge, Source::Recognition, Source::Commitment][from];
            let figures = Figures { volumes, ..Figures::default() };
            Voice { body: body(who), level: Level::ALL[level], source, figures }
        }
    }

    proptest! {
        #[test]
        fn the_order_of_voices_does_not_matter_and_every_way_of_adding_up_gives_the_same(
            voices in prop::collection::vec(some_voice(), 0..20)
        ) {
            let mut backwards = voices.clone();
            backwards.reverse();
            let region = |number| (body(number), Region { nuts: format!("DK0{}", number % 2), name: None });
            let regions: Regions = (0..4).map(region).collect();
            let add = |voices: &[Voice]| aggregate(voices, &regions, None, now());
            let (one, other) = (add(&voices), add(&backwards));
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one.by_level.values().map(|level| level.bodies).sum::<usize>(), one.bodies);
            prop_assert_eq!(one.by_region.iter().map(|region| region.bodies).sum::<usize>(), one.bodies);
            let total = |volumes: &mut dyn Iterator<Item = &Vec<Quantity>>| {
                volumes.flatten().map(|volume| volume.quantity).sum::<f64>()
            };
            let by_level = total(&mut one.by_level.values().map(|level| &level.volume));
            let by_year = total(&mut one.by_year.iter().map(|year| &year.volume));
            let by_region = total(&mut one.by_region.iter().map(|region| &region.volume));
            prop_assert!((by_level - by_year).abs() < 1e-6 && (by_level - by_region).abs() < 1e-6);
        }
    }
}
