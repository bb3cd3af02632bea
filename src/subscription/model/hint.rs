//! Codes beside those of a filter that would bring more.

use serde::Serialize;
use utoipa::ToSchema;

use super::filter::{Filter, Notice};
use crate::kernel::{Cpv, Nuts};

/// Which list a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintKind {
    Cpv,
    Nuts,
}

/// A code that would bring more if it stood in the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub kind: HintKind,
    pub code: String,
    /// How many of these notices it would add.
    pub adds: usize,
}

/// How many hints help.
const MOST: usize = 5;
/// CPV codes are neighbours within a division: the first two digits.
const DIVISION: usize = 2;
/// Places are neighbours within a country: the first two letters.
const COUNTRY: usize = 2;

/// The neighbouring codes that would add most of these notices, at most five; of two that add the same, the narrower.
/// A neighbour is a code of a notice, or the code that covers it together with one of the filter's.
#[must_use]
pub fn hints(filter: &Filter, notices: &[Notice]) -> Vec<Hint> {
    let missed: Vec<&Notice> = notices.iter().filter(|notice| filter.matches(notice).is_none()).collect();
    let mut found: Vec<(usize, Hint)> = Vec::new();
    let mut consider = |kind: HintKind, depth: usize, code: String, with: Filter| {
        let adds = missed.iter().filter(|notice| with.matches(notice).is_some()).count();
        let known = found.iter().any(|(_, hint)| hint.kind == kind && hint.code == code);
        if adds > 0 && !known {
            found.push((depth, Hint { kind, code, adds }));
        }
    };
    for notice in &missed {
        for wanted in &filter.cpv {
            for code in &notice.cpv {
                for depth in neighbours(wanted, &code.to_string(), DIVISION) {
                    let code = covering(&code.to_string(), depth);
                    if Cpv::parse(&code).is_some() && !filter.cpv.contains(&code) {
                        let cpv = filter.cpv.iter().cloned().chain([code.clone()]).collect();
                        consider(HintKind::Cpv, depth, code, Filter { cpv, ..filter.clone() });
                    }
                }
            }
        }
        for wanted in &filter.nuts {
            for place in &notice.nuts {
                for depth in neighbours(wanted, &place.to_string(), COUNTRY) {
                    let code: String = place.to_string().chars().take(depth).collect();
                    if Nuts::parse(&code).is_some() && !filter.nuts.contains(&code) {
                        let nuts = filter.nuts.iter().cloned().chain([code.clone()]).collect();
                        consider(HintKind::Nuts, depth, code, Filter { nuts, ..filter.clone() });
                    }
                }
            }
        }
    }
    found.sort_by(|(depth, one), (other_depth, other)| {
        other.adds.cmp(&one.adds).then(other_depth.cmp(depth)).then_with(|| one.code.cmp(&other.code))
    });
    // What lies around another and adds no more says nothing new.
    let mut kept: Vec<Hint> = Vec::new();
    for (_, hint) in found {
        let around = |other: &Hint| {
            other.kind == hint.kind
                && other.adds == hint.adds
                && other.code.starts_with(hint.code.trim_end_matches('0'))
        };
        if !kept.iter().any(around) {
            kept.push(hint);
        }
    }
    kept.truncate(MOST);
    kept
}

/// How many leading characters the neighbouring codes have: the code itself, and what covers both.
fn neighbours(wanted: &str, code: &str, least: usize) -> Vec<usize> {
    let shared = wanted.chars().zip(code.chars()).take_while(|(one, other)| one == other).count();
    if shared < least { Vec::new() } else { vec![code.trim_end_matches('0').len().max(least), shared] }
}

/// The CPV code that covers this one from its first digits.
fn covering(code: &str, depth: usize) -> String {
    let digits: String = code.chars().take(depth).collect();
    format!("{digits:0<8}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Id;

    fn notice(cpv: &str, nuts: &str) -> Notice {
        Notice {
            cpv: Cpv::parse(cpv).into_iter().collect(),
            nuts: Nuts::parse(nuts).into_iter().collect(),
            themes: Vec::new(),
            process_id: Id::from_bytes([7; 16]),
            process_title: String::new(),
            dialogue_id: None,
            title: String::new(),
            words: Vec::new(),
            concern: None,
        }
    }

    fn told(filter: serde_json::Value, notices: &[Notice]) -> Vec<(String, usize)> {
        let filter: Filter = serde_json::from_value(filter).unwrap();
        hints(&filter, notices).into_iter().map(|hint| (hint.code, hint.adds)).collect()
    }

    #[test]
    fn a_sibling_and_the_code_around_both_are_hinted_at_with_what_they_add() {
        let notices = [notice("33190000", ""), notice("33141000", ""), notice("33162000", ""), notice("45000000", "")];
        let hints = told(serde_json::json!({"cpv": ["33190000"]}), &notices);
        assert_eq!(
            hints,
            [("33100000".to_owned(), 2), ("33141000".to_owned(), 1), ("33162000".to_owned(), 1)],
            "another division is no neighbour"
        );
    }

    #[test]
    fn a_neighbouring_place_is_hinted_at_and_what_brings_nothing_is_not() {
        let notices = [notice("33190000", "DK032"), notice("33190000", "DK031")];
        let wanted = serde_json::json!({"cpv": ["33000000"], "nuts": ["DK031"]});
        assert_eq!(told(wanted, &notices), [("DK032".to_owned(), 1)]);
        assert!(told(serde_json::json!({}), &notices).is_empty());
        assert!(told(serde_json::json!({"cpv": ["33190000"]}), &notices).is_empty());
    }
}
