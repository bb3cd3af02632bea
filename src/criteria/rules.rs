//! The rules: for each kind of criterion one pure function from evidence to a finding.
//!
//! | criterion | met | unclear | not met |
//! |---|---|---|---|
//! | time savings | hours ≥ the threshold, and how they are known | a factor is missing | better quality alone; hours below the threshold |
//! | reduction | a quantity of a kind that counts | not said | nothing saved; another kind |
//! | scale | enough other bodies, and volume behind them | bodies without volume; bodies not named | nobody else: a purely local problem |
//! | anchoring | a political and an administrative sponsor | one of them, or none | – |

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{
    Assessment, Basis, CriteriaSet, Evidence, Outcome, Reduction, ReductionKind, Rule, Scale, TimeSavings, Verdict,
};
use crate::kernel::{Instant, Text, fold, text};

/// Holds evidence against a criteria set.
#[must_use]
pub fn assess(set: &CriteriaSet, evidence: &Evidence, now: Instant) -> Assessment {
    let judge = |rule: &Rule| match rule {
        Rule::TimeSavings { min_hours_per_year } => time_savings(evidence.time_savings.as_ref(), *min_hours_per_year),
        Rule::Reduction { kinds } => reduction(evidence.reduction.as_ref(), kinds),
        Rule::Scale { min_other_bodies } => scale(evidence, *min_other_bodies),
        Rule::Anchoring {} => anchoring(evidence),
    };
    let criteria: Vec<Outcome> = set.body.criteria.iter().map(|c| judge(&c.rule).named(&c.key)).collect();
    let hours_per_year = evidence.time_savings.as_ref().and_then(TimeSavings::hours);
    Assessment {
        criteria_set: set.key.clone(),
        version: set.version,
        outcome: criteria.iter().map(|criterion| criterion.verdict).min().unwrap_or(Verdict::Unclear),
        criteria,
        hours_per_year: hours_per_year.map(round),
        full_time_equivalents: hours_per_year.map(|hours| round(hours / set.body.hours_per_full_time_equivalent)),
        assessed_at: now,
    }
}

/// To two decimals: the figures are estimates and should not look like measurements.
fn round(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

struct Finding {
    verdict: Verdict,
    reasons: Vec<Text>,
    facts: Map<String, Value>,
    to_change: Option<Text>,
}

impl Finding {
    fn new(verdict: Verdict, reason: Text, facts: Value, to_change: Option<Text>) -> Self {
        let facts = facts.as_object().cloned().unwrap_or_default();
        Self { verdict, reasons: vec![reason], facts, to_change }
    }

    fn named(self, key: &str) -> Outcome {
        let Self { verdict, reasons, facts, to_change } = self;
        Outcome { key: key.to_owned(), verdict, reasons, facts, to_change }
    }
}

fn time_savings(given: Option<&TimeSavings>, least: f64) -> Finding {
    let Some(given) = given else {
        return Finding::new(
            Verdict::Unclear,
            text!("Der står ikke, hvor meget tid der frigives", "It does not say how much time is freed"),
            json!({}),
            Some(text!(
                "Angiv timer om året, eller minutter pr. gang, gange om ugen og antal medarbejdere, og hvordan I ved det",
                "State hours a year, or minutes each time, times a week and number of staff, and how you know"
            )),
        );
    };
    let mut facts = json!({"basis": given.basis, "quality_gain": given.quality_gain.unwrap_or(false)});
    let factors = [
        ("minutes_per_occasion", given.minutes_per_occasion, text!("minutter pr. gang", "minutes each time")),
        ("occasions_per_week", given.occasions_per_week, text!("gange om ugen", "times a week")),
        ("staff_count", given.staff_count, text!("antal medarbejdere", "number of staff")),
        ("hours_per_year", given.hours_per_year, text!("timer om året", "hours a year")),
    ];
    if let Some(facts) = facts.as_object_mut() {
        facts.extend(factors.iter().filter_map(|(name, value, _)| Some(((*name).to_owned(), json!((*value)?)))));
    }
    let Some(hours) = given.hours() else {
        let said_nothing = factors.iter().all(|(_, value, _)| value.is_none());
        if said_nothing && given.quality_gain == Some(true) {
            return Finding::new(
                Verdict::NotMet,
                text!(
                    "Bedre kvalitet alene er ikke nok: der skal også frigives tid",
                    "Better quality alone is not enough: time must be freed as well"
                ),
                facts,
                Some(text!(
                    "Angiv, hvor mange timer om året der også frigives, og for hvem",
                    "State how many hours a year are freed as well, and for whom"
                )),
            );
        }
        let missing: Vec<&Text> =
            factors.iter().take(3).filter(|(_, value, _)| value.is_none()).map(|(_, _, name)| name).collect();
        let (da, en) = (list(&missing, |t| &t.da, "og"), list(&missing, |t| &t.en, "and"));
        return Finding::new(
            Verdict::Unclear,
            text!("Tiden kan ikke regnes ud: {da} mangler", "The time cannot be worked out: {en} is missing"),
            facts,
            Some(text!("Angiv {da}, eller timer om året i alt", "State {en}, or hours a year in all")),
        );
    };
    let (shown, basis) = (round(hours), basis(given.basis));
    if hours < least {
        let needed = least.ceil();
        return Finding::new(
            Verdict::NotMet,
            text!(
                "{shown} timer om året er under kriteriets {needed}",
                "{shown} hours a year is below the criterion's {needed}"
            ),
            facts,
            Some(text!(
                "Vis, at der frigives mindst {needed} timer om året",
                "Show that at least {needed} hours a year are freed"
            )),
        );
    }
    let (da, en) = (basis.da, basis.en);
    let reason = text!("Der frigives {shown} timer om året ({da})", "{shown} hours a year are freed ({en})");
    let mut finding = Finding::new(Verdict::Met, reason, facts, None);
    if given.basis == Basis::Assumed {
        finding.reasons.push(text!(
            "Tallet er en antagelse; en måling over en uge gør det stærkere",
            "The figure is assumed; a week's measurement would make it stronger"
        ));
    }
    finding
}

fn basis(basis: Basis) -> Text {
    match basis {
        Basis::Measured => text!("målt", "measured"),
        Basis::Estimated => text!("anslået", "estimated"),
        Basis::Assumed => text!("antaget", "assumed"),
    }
}

fn list(texts: &[&Text], language: impl Fn(&Text) -> &String, and: &str) -> String {
    let words: Vec<&str> = texts.iter().map(|text| language(text).as_str()).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {and} {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}

fn reduction(given: Option<&Reduction>, kinds: &[ReductionKind]) -> Finding {
    let ask = || {
        Some(text!(
            "Angiv, hvor meget der spares om året, i hvilken enhed, og hvordan I ved det",
            "State how much is saved a year, in which unit, and how you know"
        ))
    };
    let Some(given) = given else {
        let reason = text!(
            "Der står ikke, hvor meget udledning eller ressourceforbrug der spares",
            "It does not say how much emission or use of resources is saved"
        );
        return Finding::new(Verdict::Unclear, reason, json!({}), ask());
    };
    let facts = json!({"kind": given.kind, "quantity": given.quantity, "unit": given.unit, "basis": given.basis});
    if !kinds.contains(&given.kind) {
        let reason = text!(
            "Den slags besparelse tæller ikke i denne indkaldelse",
            "That kind of saving does not count in this call"
        );
        let change = text!("Angiv en besparelse af en slags, der tæller", "State a saving of a kind that counts");
        return Finding::new(Verdict::NotMet, reason, facts, Some(change));
    }
    if given.quantity <= 0.0 {
        let reason = text!("Besparelsen er nul", "The saving is zero");
        return Finding::new(Verdict::NotMet, reason, facts, ask());
    }
    let (quantity, unit, basis) = (round(given.quantity), &given.unit, basis(given.basis));
    let (da, en) = (basis.da, basis.en);
    let reason = text!("Der spares {quantity} {unit} ({da})", "{quantity} {unit} are saved ({en})");
    Finding::new(Verdict::Met, reason, facts, None)
}

fn scale(evidence: &Evidence, least: u32) -> Finding {
    let nothing = Scale::default();
    let given = evidence.scale.as_ref().unwrap_or(&nothing);
    // Each other body once, whether it came by itself or was only named; never the owner.
    let owner = evidence.owner.as_deref().map(fold);
    let mut seen: HashSet<String> = owner.into_iter().collect();
    let mut fresh = |name: &str| seen.insert(fold(name.trim()));
    let recognised = evidence.recognitions.iter().filter(|r| fresh(&r.organisation)).count();
    let named = given.known_bodies.iter().filter(|name| fresh(name)).count();
    let others = recognised + named;
    let volume = given.has_volume() || evidence.recognitions.iter().any(|recogniser| recogniser.has_volume);
    let enough = others >= usize::try_from(least).unwrap_or(usize::MAX);

    let facts = json!({
        "recognising_bodies": recognised, "named_bodies": named, "other_bodies": others,
        "estimated_bodies": given.estimated_bodies, "has_volume": volume, "min_other_bodies": least,
    });
    let more = usize::try_from(least).unwrap_or(usize::MAX).saturating_sub(others);
    let Text { da, en } = organisations(more);
    let who = text!(
        "Få {da} til at sige \"det har vi også\", eller nævn dem ved navn",
        "Get {en} to say \"so do we\", or name them"
    );
    let how_much = text!(
        "Angiv volumen: antal, årlig værdi eller hvor mange det berører",
        "State the volume: a quantity, a yearly value or how many people it touches"
    );
    let Text { da, en } = organisations(others);
    match (enough, volume) {
        (true, true) => {
            let reason = text!(
                "Udfordringen deles af {da}, og der er volumen bag",
                "Shared by {en}, and there is volume behind it"
            );
            Finding::new(Verdict::Met, reason, facts, None)
        }
        (true, false) => {
            let reason = text!(
                "Udfordringen deles af {da}, men der står ikke, hvor meget det drejer sig om",
                "Shared by {en}, but it does not say how much there is of it"
            );
            Finding::new(Verdict::Unclear, reason, facts, Some(how_much))
        }
        (false, _) => {
            let hoped =
                others > 0 || given.estimated_bodies.is_some_and(|bodies| bodies > 1) || evidence.scale.is_none();
            let (verdict, reason) = if hoped {
                let reason = text!(
                    "Det er ikke vist, hvem andre der har udfordringen",
                    "It is not shown who else has the challenge"
                );
                (Verdict::Unclear, reason)
            } else {
                let reason = text!(
                    "Det ser ud til at være et lokalt problem: ingen andre har det",
                    "It looks like a local problem: nobody else has it"
                );
                (Verdict::NotMet, reason)
            };
            let change = if volume {
                who
            } else {
                Text { da: format!("{}. {}", who.da, how_much.da), en: format!("{}. {}", who.en, how_much.en) }
            };
            Finding::new(verdict, reason, facts, Some(change))
        }
    }
}

/// So many other organisations, in words.
fn organisations(count: usize) -> Text {
    match count {
        1 => text!("en anden organisation", "one other organisation"),
        _ => text!("{count} andre organisationer", "{count} other organisations"),
    }
}

fn anchoring(evidence: &Evidence) -> Finding {
    let given = evidence.anchoring.clone().unwrap_or_default();
    let facts = json!({"political": given.political, "administrative": given.administrative});
    match (&given.political, &given.administrative) {
        (Some(political), Some(administrative)) => {
            let (p, a) = (&political.name, &administrative.name);
            let reason = text!(
                "{p} (politisk) og {a} (administrativt) står bag",
                "{p} (political) and {a} (administrative) stand behind it"
            );
            Finding::new(Verdict::Met, reason, facts, None)
        }
        (Some(_), None) => Finding::new(
            Verdict::Unclear,
            text!(
                "Der er politisk, men ikke administrativ opbakning",
                "There is political but no administrative backing"
            ),
            facts,
            Some(text!(
                "Nævn en administrativ leder med navn, titel og dato",
                "Name an administrative leader with name, title and date"
            )),
        ),
        (None, Some(_)) => Finding::new(
            Verdict::Unclear,
            text!(
                "Der er administrativ, men ikke politisk opbakning",
                "There is administrative but no political backing"
            ),
            facts,
            Some(text!(
                "Nævn en politisk leder med navn, titel og dato",
                "Name a political leader with name, title and date"
            )),
        ),
        (None, None) => Finding::new(
            Verdict::Unclear,
            text!("Der står ikke, hvem i toppen der bakker op", "It does not say who in the top stands behind it"),
            facts,
            Some(text!(
                "Nævn en politisk og en administrativ leder, hver med navn, titel og dato",
                "Name a political and an administrative leader, each with name, title and date"
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::criteria::{Anchoring, Recogniser, Sponsor, built_in};
    use crate::kernel::{Money, Quantity};

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn verdicts(evidence: &Evidence) -> Vec<Verdict> {
        let [welfare, green] = built_in().try_into().unwrap();
        let of = |set: &CriteriaSet| {
            assess(set, evidence, now()).criteria.into_iter().map(|c| c.verdict).collect::<Vec<_>>()
        };
        [of(&welfare), of(&green)].concat()
    }

    fn time() -> TimeSavings {
        TimeSavings {
            minutes_per_occasion: None,
            occasions_per_week: None,
            staff_count: None,
            hours_per_year: None,
            basis: Basis::Estimated,
            quality_gain: None,
            note: None,
        }
    }

    fn sponsor(name: &str) -> Sponsor {
        Sponsor { name: name.into(), title: "Borgmester".into(), date: "2026-10-01".parse().unwrap() }
    }

    #[test]
    fn hours_are_minutes_times_occasions_times_staff_over_a_year() {
        let given = TimeSavings {
            minutes_per_occasion: Some(10.0),
            occasions_per_week: Some(21.0),
            staff_count: Some(40.0),
            ..time()
        };
        assert_eq!(given.hours().map(f64::round), Some(7280.0));
        let assessment = assess(&built_in()[0], &Evidence { time_savings: Some(given), ..Evidence::default() }, now());
        assert_eq!(assessment.full_time_equivalents, Some(3.78));
        assert_eq!(assessment.criteria[0].verdict, Verdict::Met);
    }

    #[test]
    fn better_quality_alone_is_not_met_but_with_hours_it_is() {
        let quality = TimeSavings { quality_gain: Some(true), ..time() };
        let judge = |given| time_savings(Some(given), 1.0).verdict;
        assert_eq!(judge(&quality), Verdict::NotMet);
        assert_eq!(judge(&TimeSavings { hours_per_year: Some(300.0), ..quality.clone() }), Verdict::Met);
    }

    #[test]
    fn a_missing_factor_is_named() {
        let finding = time_savings(Some(&TimeSavings { minutes_per_occasion: Some(5.0), ..time() }), 1.0);
        assert_eq!(finding.verdict, Verdict::Unclear);
        assert_eq!(finding.reasons[0].da, "Tiden kan ikke regnes ud: gange om ugen og antal medarbejdere mangler");
    }

    #[test]
    fn a_purely_local_problem_is_not_met_until_another_body_recognises_it() {
        let mut evidence =
            Evidence { owner: Some("Odense Kommune".into()), scale: Some(Scale::default()), ..Evidence::default() };
        assert_eq!(scale(&evidence, 1).verdict, Verdict::NotMet);
        evidence.recognitions.push(Recogniser { organisation: "Aarhus Kommune".into(), has_volume: true });
        assert_eq!(scale(&evidence, 1).verdict, Verdict::Met);
    }

    #[test]
    fn a_body_counts_once_and_the_owner_never() {
        let given = Scale {
            known_bodies: vec!["AARHUS kommune".into(), "Odense Kommune".into(), "Vejle Kommune".into()],
            ..Scale::default()
        };
        let recognitions = vec![Recogniser { organisation: "Aarhus Kommune".into(), has_volume: false }];
        let evidence =
            Evidence { owner: Some("Odense Kommune".into()), scale: Some(given), recognitions, ..Evidence::default() };
        assert_eq!(scale(&evidence, 1).facts["other_bodies"], 2);
    }

    #[test]
    fn one_sponsor_of_two_is_not_enough() {
        let mut given = Anchoring { political: Some(sponsor("Ane")), administrative: None };
        let judge =
            |given: &Anchoring| anchoring(&Evidence { anchoring: Some(given.clone()), ..Evidence::default() }).verdict;
        assert_eq!(judge(&given), Verdict::Unclear);
        given.administrative = Some(sponsor("Bo"));
        assert_eq!(judge(&given), Verdict::Met);
    }

    prop_compose! {
        fn some_evidence()(
            minutes in prop::option::of(0.0..100.0), weekly in prop::option::of(0.0..50.0), staff in prop::option::of(0.0..500.0),
            hours in prop::option::of(0.0..9000.0), quality in prop::option::of(any::<bool>()), with_time in any::<bool>(),
            saved in prop::option::of(0.0..100.0),
            bodies in prop::option::of(prop::collection::vec("[A-F] Kommune", 0..4)), estimated in prop::option::of(0_u32..9),
            people in prop::option::of(0_u32..9), recognised in prop::collection::vec(("[A-F] Kommune", any::<bool>()), 0..3),
            political in any::<bool>(), administrative in any::<bool>(),
        ) -> Evidence {
            Evidence {
                owner: Some("A Kommune".into()),
                time_savings: with_time.then(|| TimeSavings {
                    minutes_per_occasion: minutes, occasions_per_week: weekly, staff_count: staff, hours_per_year: hours,
                    quality_gain: quality, ..time()
                }),
                reduction: saved.map(|quantity| Reduction {
                    kind: ReductionKind::Co2, quantity, unit: "ton".into(), basis: Basis::Measured, note: None,
                }),
                scale: bodies.map(|known_bodies| Scale {
                    known_bodies, estimated_bodies: estimated, affected_people: people, ..Scale::default()
                }),
                anchoring: Some(Anchoring {
                    political: political.then(|| sponsor("P")), administrative: administrative.then(|| sponsor("A")),
                }),
                recognitions: recognised.into_iter()
                    .map(|(organisation, has_volume)| Recogniser { organisation, has_volume }).collect(),
            }
        }
    }

    /// What can be added in support of a challenge, one at a time.
    fn strengthen(evidence: &Evidence, way: usize) -> Evidence {
        let mut stronger = evidence.clone();
        let time = || time();
        match way {
            0 => stronger.time_savings.get_or_insert_with(time).hours_per_year.get_or_insert(2000.0),
            1 => stronger.time_savings.get_or_insert_with(time).minutes_per_occasion.get_or_insert(9.0),
            2 => stronger.time_savings.get_or_insert_with(time).staff_count.get_or_insert(9.0),
            _ => &mut 0.0,
        };
        match way {
            3 => stronger.recognitions.push(Recogniser { organisation: "X Kommune".into(), has_volume: true }),
            4 => stronger.scale.get_or_insert_default().known_bodies.push("Y Kommune".into()),
            5 if stronger.scale.is_some() => {
                stronger.scale.get_or_insert_default().volume = Some(Quantity { quantity: 9.0, unit: "stk".into() });
            }
            6 if stronger.scale.is_some() => stronger.scale.get_or_insert_default().annual_value = Some(Money::dkk(9)),
            7 => drop(stronger.anchoring.get_or_insert_default().political.get_or_insert_with(|| sponsor("P")).clone()),
            8 => drop(
                stronger.anchoring.get_or_insert_default().administrative.get_or_insert_with(|| sponsor("A")).clone(),
            ),
            9 => {
                stronger.reduction.get_or_insert_with(|| Reduction {
                    kind: ReductionKind::Co2,
                    quantity: 1.0,
                    unit: "ton".into(),
                    basis: Basis::Assumed,
                    note: None,
                });
            }
            _ => {}
        }
        stronger
    }

    proptest! {
        #[test]
        fn more_evidence_never_makes_a_verdict_worse(evidence in some_evidence(), way in 0_usize..10) {
            let (before, after) = (verdicts(&evidence), verdicts(&strengthen(&evidence, way)));
            // A first factor of time is no step back from saying nothing, unless it multiplies to nothing.
            let zero = strengthen(&evidence, way).time_savings.and_then(|t| t.hours()).is_some_and(|h| h < 1.0);
            for (place, (was, is)) in before.iter().zip(&after).enumerate() {
                prop_assert!(is >= was || (place == 0 && zero), "{place}: {was:?} → {is:?}");
            }
        }

        #[test]
        fn what_is_not_met_says_what_would_change_it(evidence in some_evidence()) {
            for set in built_in() {
                for criterion in assess(&set, &evidence, now()).criteria {
                    prop_assert_eq!(criterion.to_change.is_none(), criterion.verdict == Verdict::Met);
                    prop_assert!(!criterion.reasons.is_empty());
                }
            }
        }

        #[test]
        fn following_every_stated_change_turns_every_verdict(evidence in some_evidence()) {
            let mut followed = evidence;
            let time = followed.time_savings.get_or_insert_with(time);
            if time.hours().is_none_or(|hours| hours < 1.0) { time.hours_per_year = Some(1.0); }
            followed.scale.get_or_insert_default().known_bodies.push("Z Kommune".into());
            followed.scale.get_or_insert_default().affected_people = Some(1);
            followed.anchoring = Some(Anchoring { political: Some(sponsor("P")), administrative: Some(sponsor("A")) });
            followed.reduction = Some(Reduction { kind: ReductionKind::Energy, quantity: 1.0, unit: "kWh".into(), basis: Basis::Assumed, note: None });
            prop_assert!(verdicts(&followed).iter().all(|verdict| *verdict == Verdict::Met));
        }
    }
}
