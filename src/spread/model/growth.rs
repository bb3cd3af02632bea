//! How a solution spreads, year by year, as of a day: derived from the stages, never typed.

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Stage, StageEntry, Way};

/// One year of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SpreadYear)]
pub struct Year {
    pub year: i32,
    /// The last day of the year, or the day that was asked for.
    pub as_of: NaiveDate,
    /// Bodies that really use it by then: `in_use` and `practice_changed`.
    pub spread: usize,
    pub planned: usize,
    pub bought: usize,
    pub in_use: usize,
    pub practice_changed: usize,
    pub ended: usize,
}

/// How a solution has spread, as of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Spread, example = json!({"as_of": "2026-11-22", "spread": 12, "copied": 9, "adapted": 2, "inspired": 1, "years": [
    {"year": 2025, "as_of": "2025-12-31", "spread": 8, "planned": 0, "bought": 2, "in_use": 8, "practice_changed": 0, "ended": 0},
    {"year": 2026, "as_of": "2026-11-22", "spread": 12, "planned": 1, "bought": 0, "in_use": 9, "practice_changed": 3, "ended": 1}]}))]
pub struct Growth {
    pub as_of: NaiveDate,
    /// Bodies that really use it.
    pub spread: usize,
    /// Of these, how many copied it.
    pub copied: usize,
    pub adapted: usize,
    pub inspired: usize,
    /// From the first year to that of `as_of`.
    pub years: Vec<Year>,
}

/// The curve of these adoptions, each with the stages it came through, oldest first.
#[must_use]
pub fn growth(adoptions: &[(Way, &[StageEntry])], as_of: NaiveDate) -> Growth {
    let stage_on = |stages: &[StageEntry], day| stages.iter().rev().find(|entry| entry.since <= day).map(|e| e.stage);
    let first = adoptions.iter().flat_map(|(_, stages)| stages.iter().map(|entry| entry.since)).min();
    let years = first.map_or(as_of.year() + 1..=as_of.year(), |first| first.year()..=as_of.year());
    let year = |year: i32| {
        let last_day = NaiveDate::from_ymd_opt(year, 12, 31).unwrap_or(as_of).min(as_of);
        let count =
            |wanted: Stage| adoptions.iter().filter(|(_, stages)| stage_on(stages, last_day) == Some(wanted)).count();
        let (in_use, practice_changed) = (count(Stage::InUse), count(Stage::PracticeChanged));
        Year {
            year,
            as_of: last_day,
            spread: in_use + practice_changed,
            planned: count(Stage::Planned),
            bought: count(Stage::Bought),
            in_use,
            practice_changed,
            ended: count(Stage::Ended),
        }
    };
    let using = |wanted: Way| {
        let uses = |stages| stage_on(stages, as_of).is_some_and(Stage::counts);
        adoptions.iter().filter(|(way, stages)| *way == wanted && uses(stages)).count()
    };
    let (copied, adapted, inspired) = (using(Way::Copied), using(Way::Adapted), using(Way::Inspired));
    Growth { as_of, spread: copied + adapted + inspired, copied, adapted, inspired, years: years.map(year).collect() }
}

impl Growth {
    /// As comma-separated values (RFC 4180), a line a year.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::from("year,as_of,spread,planned,bought,in_use,practice_changed,ended\r\n");
        for Year { year, as_of, spread, planned, bought, in_use, practice_changed, ended } in &self.years {
            csv.push_str(&format!(
                "{year},{as_of},{spread},{planned},{bought},{in_use},{practice_changed},{ended}\r\n"
            ));
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn entry(stage: Stage, since: &str) -> StageEntry {
        StageEntry { stage, since: day(since) }
    }

    #[test]
    fn a_solution_in_a_cupboard_has_not_spread() {
        let stages = [
            entry(Stage::Planned, "2024-05-01"),
            entry(Stage::Bought, "2024-12-31"),
            entry(Stage::InUse, "2026-01-01"),
        ];
        let curve = growth(&[(Way::Copied, &stages)], day("2026-11-22"));
        assert_eq!(
            curve.years.iter().map(|year| (year.year, year.bought, year.spread)).collect::<Vec<_>>(),
            [(2024, 1, 0), (2025, 1, 0), (2026, 0, 1)]
        );
        assert_eq!(growth(&[(Way::Copied, &stages)], day("2025-12-31")).spread, 0, "as of the day before");
        assert!(curve.csv().ends_with("2026,2026-11-22,1,0,0,1,0,0\r\n"), "{}", curve.csv());
    }

    #[test]
    fn who_dropped_it_is_counted_no_more() {
        let stages = [entry(Stage::InUse, "2024-05-01"), entry(Stage::Ended, "2025-02-01")];
        let curve = growth(&[(Way::Inspired, &stages)], day("2025-02-01"));
        assert_eq!((curve.spread, curve.years[0].spread, curve.years[1].ended), (0, 1, 1));
    }

    #[test]
    fn nothing_adopted_is_an_empty_curve() {
        assert_eq!(growth(&[], day("2026-11-22")).years, []);
    }

    proptest! {
        #[test]
        fn the_last_year_says_what_the_whole_says(
            bodies in prop::collection::vec((0_usize..3, prop::collection::vec((0_usize..5, 0_i64..2000), 1..5)), 0..12), at in 0_i64..2500
        ) {
            let start = day("2020-01-01");
            let adoptions: Vec<(Way, Vec<StageEntry>)> = bodies.iter().map(|(way, stages)| {
                let mut stages: Vec<StageEntry> = stages.iter().map(|(stage, after)| StageEntry { stage: Stage::ALL[*stage], since: start + chrono::TimeDelta::days(*after) }).collect();
                stages.sort_by_key(|entry| entry.since);
                ([Way::Copied, Way::Adapted, Way::Inspired][*way], stages)
            }).collect();
            let adoptions: Vec<(Way, &[StageEntry])> = adoptions.iter().map(|(way, stages)| (*way, stages.as_slice())).collect();
            let as_of = start + chrono::TimeDelta::days(at);
            let curve = growth(&adoptions, as_of);
            prop_assert!(curve.spread <= adoptions.len());
            prop_assert_eq!(curve.years.last().map_or(0, |year| year.spread), curve.spread);
            for year in &curve.years {
                prop_assert!(year.as_of <= as_of);
                prop_assert!(year.planned + year.bought + year.spread + year.ended <= adoptions.len());
            }
        }
    }
}
