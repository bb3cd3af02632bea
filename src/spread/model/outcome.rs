//! What a solution brought: asked for after 6, 12 and 24 months.

use chrono::{Months, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Adoption, Figures, Stage};
use crate::kernel::{Cvr, Fitting, Flaws, Id, Instant, text};

/// How many months after the purchase a body is asked.
pub const MONTHS: [i32; 3] = [6, 12, 24];
/// How long the link is good for.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::days(60);
/// When somebody who did not answer is asked again, once.
pub const REMINDED_AFTER: TimeDelta = TimeDelta::days(21);

/// What is due of a body: the newest term is asked for, and older ones that were missed are passed over, so that a long
/// pause brings one letter and not three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub ask: i32,
    pub pass_over: Vec<i32>,
}

/// What is due today of a body that bought on this day and was already asked for these terms.
#[must_use]
pub fn due(bought_on: NaiveDate, handled: &[i32], today: NaiveDate) -> Option<Due> {
    let asked_last = handled.iter().max().copied().unwrap_or_default();
    let has_passed = |months: &i32| {
        let months = Months::new(u32::try_from(*months).unwrap_or_default());
        bought_on.checked_add_months(months).is_some_and(|day| day <= today)
    };
    let mut open: Vec<i32> = MONTHS.into_iter().filter(|months| *months > asked_last && has_passed(months)).collect();
    open.pop().map(|ask| Due { ask, pass_over: open })
}

/// Who delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OutcomeSupplier, example = json!({"name": "Firma ApS", "cvr": "64942212"}))]
pub struct Supplier {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// 8 digits, checked; none for a foreign company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvr: Option<String>,
}

/// What a body says was realised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OutcomeReport, example = json!({"stage": "in_use", "realised": {"hours_saved_per_year": 1800.0},
    "supplier": {"name": "Firma ApS", "cvr": "64942212"}, "note": "Nattevagterne går færre runder."}))]
pub struct Report {
    /// How far the body has come; not `planned`.
    pub stage: Stage,
    #[serde(default)]
    pub realised: Figures,
    /// Why it was dropped; with the stage `ended` only, 1 to 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub dropped_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Supplier>,
    /// What else others should know; at most 4,000 characters. Published: no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4000)]
    pub note: Option<String>,
}

impl Fitting for Report {
    fn fit(&mut self, flaws: &mut Flaws) {
        if self.stage == Stage::Planned {
            let words = text!(
                "Løsningen er købt, så den er ikke kun planlagt",
                "The solution was bought, so it is not only planned"
            );
            flaws.add("/stage", "out_of_range", words);
        }
        self.realised.check("/realised", flaws);
        if let Some(reason) = &mut self.dropped_reason {
            flaws.open_prose("/dropped_reason", reason, 0, 2000);
        }
        if let Some(note) = &mut self.note {
            flaws.open_prose("/note", note, 0, 4000);
        }
        self.dropped_reason = self.dropped_reason.take().filter(|reason| !reason.is_empty());
        self.note = self.note.take().filter(|note| !note.is_empty());
        match (self.stage == Stage::Ended, &self.dropped_reason) {
            (true, None) => {
                flaws.add(
                    "/dropped_reason",
                    "required",
                    text!("Skriv, hvorfor den blev droppet", "Say why it was dropped"),
                );
            }
            (false, Some(_)) => {
                let words = text!("En grund hører til stadiet droppet", "A reason belongs to the stage ended");
                flaws.add("/dropped_reason", "only_when_ended", words);
            }
            _ => {}
        }
        if let Some(supplier) = &mut self.supplier {
            flaws.line("/supplier/name", &mut supplier.name, 1, 200);
            if let Some(written) = supplier.cvr.take() {
                match Cvr::parse(&written) {
                    Some(cvr) => supplier.cvr = Some(cvr.to_string()),
                    None => {
                        let words = text!("Det er ikke et gyldigt CVR-nummer", "This is not a valid CVR number");
                        flaws.add("/supplier/cvr", "not_a_cvr_number", words);
                    }
                }
            }
        }
    }
}

/// How it stands with one term.
#[derive(Clone, Debug, PartialEq)]
pub enum OutcomeState {
    /// The contact has a link.
    Asked {
        asked_at: Instant,
        reminded_at: Option<Instant>,
    },
    /// A later term was due already when the service came to it.
    PassedOver,
    Reported {
        report: Report,
        reported_at: Instant,
        reported_by: String,
    },
}

impl OutcomeState {
    /// The word that stands in the database, and that the link is bound to.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::PassedOver => "passed_over",
            Self::Reported { .. } => "reported",
        }
    }
}

/// What a solution brought a body, so many months after it was bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub id: Id<Outcome>,
    pub adoption_id: Id<Adoption>,
    pub months: i32,
    pub state: OutcomeState,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Fit;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn each_term_is_due_once_and_a_long_pause_brings_one_letter() {
        let bought = day("2024-08-31");
        assert_eq!(due(bought, &[], day("2025-02-27")), None);
        assert_eq!(
            due(bought, &[], day("2025-02-28")),
            Some(Due { ask: 6, pass_over: vec![] }),
            "February has no 31st"
        );
        assert_eq!(due(bought, &[6], day("2025-03-01")), None);
        assert_eq!(due(bought, &[6], day("2027-01-01")), Some(Due { ask: 24, pass_over: vec![12] }));
        assert_eq!(due(bought, &[24], day("2040-01-01")), None);
    }

    #[test]
    fn a_report_says_why_it_was_dropped_and_by_whom_it_was_delivered() {
        let check = |report: serde_json::Value| {
            let flaws = Fit::check(serde_json::from_value::<Report>(report).unwrap()).err().unwrap_or_default();
            flaws.0.into_iter().map(|flaw| (flaw.pointer, flaw.code)).collect::<Vec<_>>()
        };
        let found = |pointer: &str, code| vec![(pointer.to_owned(), code)];
        use serde_json::json;
        assert_eq!(check(json!({"stage": "ended"})), found("/dropped_reason", "required"));
        assert_eq!(
            check(json!({"stage": "in_use", "dropped_reason": "x"})),
            found("/dropped_reason", "only_when_ended")
        );
        assert_eq!(check(json!({"stage": "planned"})), found("/stage", "out_of_range"));
        let wrong = json!({"stage": "in_use", "supplier": {"name": "F", "cvr": "12345678"}});
        assert_eq!(check(wrong), found("/supplier/cvr", "not_a_cvr_number"));
        assert_eq!(check(json!({"stage": "ended", "dropped_reason": "Den larmer"})), []);
    }

    proptest! {
        #[test]
        fn however_seldom_somebody_looks_no_term_is_asked_twice(looks in prop::collection::vec(0_i64..1200, 0..20)) {
            let bought = day("2024-01-31");
            let mut looks = looks;
            looks.sort_unstable();
            let mut handled = Vec::new();
            for after in looks {
                if let Some(found) = due(bought, &handled, bought + TimeDelta::days(after)) {
                    prop_assert!(found.pass_over.iter().all(|months| *months < found.ask && !handled.contains(months)));
                    prop_assert!(!handled.contains(&found.ask));
                    handled.extend(found.pass_over);
                    handled.push(found.ask);
                }
            }
            prop_assert!(handled.is_sorted());
        }
    }
}
