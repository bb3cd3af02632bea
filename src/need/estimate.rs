//! What needs add up to. Colleagues tell of the same work, so within a department the median counts; departments add up.

use std::collections::{BTreeMap, BTreeSet};

use super::HowOften;

/// One who tells how often: of which body and department.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// Empty where it was not told: these count as one department together.
    pub department: String,
    pub how_often: Option<HowOften>,
}

/// What several needs add up to; figures are estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Departments that told of it, at least 1 when anybody did.
    pub departments: usize,
    /// How many of them gave figures that hours follow from.
    pub departments_with_hours: usize,
    /// Hours of work a year, over the departments that gave figures.
    pub hours_per_year: Option<f64>,
}

impl Estimate {
    /// What these voices add up to.
    #[must_use]
    pub fn of(voices: &[Voice]) -> Self {
        let departments: BTreeSet<&str> = voices.iter().map(|voice| voice.department.as_str()).collect();
        let mut told: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for voice in voices {
            if let Some(hours) = voice.how_often.as_ref().and_then(HowOften::hours_per_year) {
                told.entry(&voice.department).or_default().push(hours);
            }
        }
        let hours: Vec<f64> = told.into_values().filter_map(median).collect();
        Self {
            departments: departments.len(),
            departments_with_hours: hours.len(),
            hours_per_year: (!hours.is_empty()).then(|| hours.iter().sum::<f64>().round()),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    let lower = if figures.len().is_multiple_of(2) { *figures.get(middle.checked_sub(1)?)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::need::Per;

    fn voice(department: &str, minutes: Option<f64>) -> Voice {
        let how_often = Some(HowOften { times: 1.0, per: Per::Week, minutes, people: Some(2) });
        Voice { department: department.to_owned(), how_often }
    }

    #[test]
    fn colleagues_tell_of_the_same_work_and_departments_add_up() {
        let voices = [
            voice("kirurgisk", Some(30.0)),
            voice("kirurgisk", Some(60.0)),
            voice("kirurgisk", Some(900.0)),
            voice("medicinsk", Some(15.0)),
            voice("psykiatrisk", None),
        ];
        let estimate = Estimate::of(&voices);
        assert_eq!((estimate.departments, estimate.departments_with_hours), (3, 2));
        assert_eq!(estimate.hours_per_year, Some(104.0 + 26.0));
        assert_eq!(Estimate::of(&[]), Estimate::default());
    }

    proptest! {
        #[test]
        fn one_more_colleague_never_lifts_a_department_above_its_highest_voice(
            minutes in prop::collection::vec(0.0_f64..1440.0, 1..30),
        ) {
            let voices: Vec<Voice> = minutes.iter().map(|minutes| voice("a", Some(*minutes))).collect();
            let highest = minutes.iter().copied().fold(0.0, f64::max) / 60.0 * 2.0 * 52.0;
            prop_assert!(Estimate::of(&voices).hours_per_year.unwrap() <= highest.round());
        }
    }
}
