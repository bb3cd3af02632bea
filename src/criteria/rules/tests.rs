//! The rules, held to what they promise.

use proptest::prelude::*;

use super::*;
use crate::criteria::{Anchoring, Backings, Recogniser, Sponsor, built_in};
use crate::kernel::{Money, Quantity};

fn now() -> Instant {
    "2026-11-22T08:00:00Z".parse().unwrap()
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
    let local = Scale { known_bodies: Some(Vec::new()), ..Scale::default() };
    let mut evidence = Evidence { owner: Some("Odense Kommune".into()), scale: Some(local), ..Evidence::default() };
    assert_eq!(scale(&evidence, 1).verdict, Verdict::NotMet);
    evidence.recognitions.push(Recogniser { organisation: "Aarhus Kommune".into(), has_volume: true });
    assert_eq!(scale(&evidence, 1).verdict, Verdict::Met);
}

#[test]
fn a_body_counts_once_and_the_owner_never() {
    let given = Scale {
        known_bodies: Some(vec!["ÅRHUS  kommune".into(), "Odense".into(), "Vejle Kommune".into()]),
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
    let judge = |given: &Anchoring| {
        anchoring(&Evidence { anchoring: Some(given.clone()), ..Evidence::default() }, false).verdict
    };
    assert_eq!(judge(&given), Verdict::Unclear);
    given.administrative = Some(sponsor("Bo"));
    assert_eq!(judge(&given), Verdict::Met);
}

#[test]
fn one_person_is_not_both_sides() {
    let twice = Anchoring { political: Some(sponsor("Ane Bo")), administrative: Some(sponsor(" ane bo ")) };
    let evidence = Evidence { anchoring: Some(twice), ..Evidence::default() };
    assert_eq!(anchoring(&evidence, false).verdict, Verdict::Unclear);
}

#[test]
fn what_sponsors_say_themselves_moves_the_verdict() {
    let both = Anchoring { political: Some(sponsor("Ane")), administrative: Some(sponsor("Bo")) };
    let judge = |said: Backing, must_be_confirmed: bool| {
        let backings = Backings::default().with(Side::Political, said);
        let evidence = Evidence { anchoring: Some(both.clone()), backings, ..Evidence::default() };
        anchoring(&evidence, must_be_confirmed)
    };
    let asked = |refused_before| Backing::Asked { asked_at: now(), refused_before };
    assert_eq!(judge(Backing::Claimed, false).verdict, Verdict::Met);
    assert_eq!(judge(Backing::Claimed, true).verdict, Verdict::Unclear);
    assert_eq!(judge(asked(true), false).verdict, Verdict::Unclear);
    let no = judge(Backing::Refused { refused_at: now(), reason: Some("For dyrt".into()) }, false);
    assert_eq!((no.verdict, no.reasons[0].da.as_str()), (Verdict::NotMet, "Ane vil ikke stå bag: For dyrt"));
    assert_eq!(no.facts["political"]["standing"], "refused");
    let yes = judge(Backing::Confirmed { confirmed_at: now() }, false);
    assert_eq!((yes.verdict, yes.facts["political"]["standing"].as_str()), (Verdict::Met, Some("confirmed")));
    assert_eq!(yes.facts["administrative"]["standing"], "claimed");
}

/// Sets with every kind of threshold, also those that nobody set yet.
fn sets() -> Vec<CriteriaSet> {
    let mut sets = built_in();
    let mut strict = sets[0].clone();
    for criterion in &mut strict.body.criteria {
        match &mut criterion.rule {
            Rule::TimeSavings { min_hours_per_year } => *min_hours_per_year = 1500.5,
            Rule::Scale { min_other_bodies } => *min_other_bodies = 3,
            _ => {}
        }
    }
    sets.push(strict);
    sets
}

fn said(number: u8) -> Backing {
    match number {
        0 => Backing::Claimed,
        1 => Backing::Asked { asked_at: now(), refused_before: false },
        2 => Backing::Asked { asked_at: now(), refused_before: true },
        3 => Backing::Confirmed { confirmed_at: now() },
        _ => Backing::Refused { refused_at: now(), reason: None },
    }
}

prop_compose! {
    fn some_evidence()(
        minutes in prop::option::of(0.0..100.0), weekly in prop::option::of(0.0..50.0), staff in prop::option::of(0.0..500.0),
        hours in prop::option::of(0.0..9000.0), quality in prop::option::of(any::<bool>()), with_time in any::<bool>(),
        saved in prop::option::of(0.0..100.0), with_scale in any::<bool>(),
        bodies in prop::option::of(prop::collection::vec("[A-F] Kommune", 0..4)), estimated in prop::option::of(0_u32..9),
        people in prop::option::of(0_u32..9), recognised in prop::collection::vec(("[A-F] Kommune", any::<bool>()), 0..3),
        sponsors in (any::<bool>(), any::<bool>(), any::<bool>()), answers in (0_u8..5, 0_u8..5),
    ) -> Evidence {
        let (political, administrative, one_person) = sponsors;
        Evidence {
            owner: Some("A Kommune".into()),
            time_savings: with_time.then(|| TimeSavings {
                minutes_per_occasion: minutes, occasions_per_week: weekly, staff_count: staff, hours_per_year: hours,
                quality_gain: quality, ..time()
            }),
            reduction: saved.map(|quantity| Reduction {
                kind: ReductionKind::Co2, quantity, unit: "ton".into(), basis: Basis::Measured, note: None,
            }),
            scale: with_scale.then(|| Scale {
                known_bodies: bodies, estimated_bodies: estimated, affected_people: people, ..Scale::default()
            }),
            anchoring: Some(Anchoring {
                political: political.then(|| sponsor("P")),
                administrative: administrative.then(|| sponsor(if one_person { "P" } else { "A" })),
            }),
            backings: Backings { political: said(answers.0), administrative: said(answers.1) },
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
    let scale = |stronger: &mut Evidence, more: fn(&mut Scale)| more(stronger.scale.get_or_insert_default());
    let yes = || Backing::Confirmed { confirmed_at: now() };
    match way {
        3 => stronger.recognitions.push(Recogniser { organisation: "X Kommune".into(), has_volume: true }),
        4 => scale(&mut stronger, |scale| scale.known_bodies.get_or_insert_default().push("Y Kommune".into())),
        5 => scale(&mut stronger, |scale| {
            scale.volume = Some(Quantity { quantity: 9.0, unit: "stk".into(), year: None })
        }),
        6 => scale(&mut stronger, |scale| scale.annual_value = Some(Money::dkk(9))),
        7 => drop(stronger.anchoring.get_or_insert_default().political.get_or_insert_with(|| sponsor("P")).clone()),
        8 => {
            drop(stronger.anchoring.get_or_insert_default().administrative.get_or_insert_with(|| sponsor("A")).clone())
        }
        9 => {
            stronger.reduction.get_or_insert_with(|| Reduction {
                kind: ReductionKind::Co2,
                quantity: 1.0,
                unit: "ton".into(),
                basis: Basis::Assumed,
                note: None,
            });
        }
        10 => stronger.backings = stronger.backings.with(Side::Political, yes()),
        11 => stronger.backings = stronger.backings.with(Side::Administrative, yes()),
        12 => scale(&mut stronger, |scale| {
            scale.estimated_bodies = scale.estimated_bodies.max(Some(5));
        }),
        _ => {}
    }
    stronger
}

/// Does what a change says, as a program would that understands no words.
fn apply(evidence: &mut Evidence, change: &Change, turn: usize) {
    let least = change.at_least.map_or(0.001, |least| f64::from(u32::try_from(least).unwrap()));
    let reduction = || Reduction {
        kind: ReductionKind::Other,
        quantity: 0.0,
        unit: "kWh".into(),
        basis: Basis::Assumed,
        note: None,
    };
    match change.pointer.as_str() {
        "/time_savings/hours_per_year" => {
            evidence.time_savings.get_or_insert_with(time).hours_per_year = Some(least);
        }
        "/time_savings/basis" => evidence.time_savings.get_or_insert_with(time).basis = Basis::Assumed,
        "/reduction/kind" => evidence.reduction.get_or_insert_with(reduction).kind = ReductionKind::Co2,
        "/reduction/quantity" => evidence.reduction.get_or_insert_with(reduction).quantity = least,
        "/reduction/unit" | "/reduction/basis" => {}
        "/scale/known_bodies" => {
            let names = evidence.scale.get_or_insert_default().known_bodies.get_or_insert_default();
            names.extend((1..=10_000).take_while(|n| f64::from(*n) <= least).map(|n| format!("Ny {turn}.{n}")));
        }
        "/scale/affected_people" => {
            evidence.scale.get_or_insert_default().affected_people = (1..).find(|n| f64::from(*n) >= least);
        }
        "/anchoring/political" => {
            evidence.anchoring.get_or_insert_default().political = Some(sponsor("Ny politiker"));
            evidence.backings.political = Backing::Claimed;
        }
        "/anchoring/administrative" => {
            evidence.anchoring.get_or_insert_default().administrative = Some(sponsor("Ny direktør"));
            evidence.backings.administrative = Backing::Claimed;
        }
        unknown => panic!("no field {unknown}"),
    }
}

proptest! {
    #[test]
    fn more_evidence_never_makes_a_verdict_worse(evidence in some_evidence(), way in 0_usize..13) {
        let stronger = strengthen(&evidence, way);
        // A factor that completes a product too small is no evidence in support.
        let small = stronger.time_savings.as_ref().and_then(TimeSavings::hours).is_some_and(|hours| hours < 1500.5);
        // To name on both sides the one who stands on one is not, either.
        let one_person = stronger.anchoring.as_ref().is_some_and(Anchoring::is_one_person);
        // Nor is naming somebody who says no.
        let named = stronger.anchoring != evidence.anchoring;
        for (before, after) in sets().iter().map(|set| (assess(set, &evidence, now()), assess(set, &stronger, now()))) {
            for (was, is) in before.criteria.iter().zip(&after.criteria) {
                let spared = match was.key.as_str() {
                    "time_savings" => small,
                    "anchoring" => one_person || named && is.verdict == Verdict::NotMet,
                    _ => false,
                };
                prop_assert!(is.verdict >= was.verdict || spared, "{}: {:?} → {:?}", was.key, was.verdict, is.verdict);
            }
        }
    }

    #[test]
    fn what_is_not_met_says_what_would_change_it(evidence in some_evidence()) {
        for set in sets() {
            for criterion in assess(&set, &evidence, now()).criteria {
                let met = criterion.verdict == Verdict::Met;
                prop_assert_eq!(criterion.to_change.is_none_or(|words| words.da.is_empty() || words.en.is_empty()), met);
                prop_assert_eq!(criterion.changes.is_empty(), met);
                prop_assert!(!criterion.reasons.is_empty());
            }
        }
    }

    #[test]
    fn the_stated_change_turns_its_verdict_and_no_part_of_it_could_be_left_out(evidence in some_evidence()) {
        for set in sets() {
            for (place, outcome) in assess(&set, &evidence, now()).criteria.into_iter().enumerate() {
                let turned = |left_out: Option<usize>| {
                    let mut changed = evidence.clone();
                    for (turn, change) in outcome.changes.iter().enumerate().filter(|(turn, _)| Some(*turn) != left_out) {
                        apply(&mut changed, change, turn);
                    }
                    assess(&set, &changed, now()).criteria[place].verdict
                };
                prop_assert_eq!(turned(None), Verdict::Met, "{:?}", outcome);
                for (left_out, change) in outcome.changes.iter().enumerate() {
                    // How a figure is known, and its unit, are needed to state it at all.
                    let belongs = ["/time_savings/basis", "/reduction/unit", "/reduction/basis", "/reduction/kind"];
                    if !belongs.contains(&change.pointer.as_str()) {
                        prop_assert!(turned(Some(left_out)) < Verdict::Met, "{} is idle in {:?}", change.pointer, outcome);
                    }
                }
            }
        }
    }

    #[test]
    fn a_little_less_than_stated_does_not_turn_a_verdict(hours in 0.0..1500.0) {
        let given = TimeSavings { hours_per_year: Some(hours), ..time() };
        let finding = time_savings(Some(&given), 1500.5);
        let least = f64::from(u32::try_from(finding.remedy.unwrap().changes[0].at_least.unwrap()).unwrap());
        let judge = |hours| time_savings(Some(&TimeSavings { hours_per_year: Some(hours), ..time() }), 1500.5).verdict;
        prop_assert_eq!((judge(least), judge(least - 1.0)), (Verdict::Met, Verdict::NotMet));
    }

    #[test]
    fn a_body_counts_once_whether_it_recognises_is_named_or_both(names in prop::collection::vec("[A-C]( Kommune)?", 0..6)) {
        let distinct = names.iter().map(|name| body_key(name)).collect::<HashSet<_>>().len();
        for split in 0..=names.len() {
            let (came, named) = names.split_at(split);
            let recognitions = came.iter().map(|name| Recogniser { organisation: name.clone(), has_volume: true }).collect();
            let given = Scale { known_bodies: Some(named.to_vec()), ..Scale::default() };
            let evidence = Evidence { scale: Some(given), recognitions, ..Evidence::default() };
            prop_assert_eq!(&scale(&evidence, 1).facts["other_bodies"], &json!(distinct));
        }
    }
}
