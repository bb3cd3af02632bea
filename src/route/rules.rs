//! The table of routes and their conditions. References are to udbudsloven (lov nr. 1564 af 15. december 2015 with later
//! changes) unless another law is named.

use super::model::{Authority, Condition, Development, Facts, Nature, Party, Question, Route, YesNo};
use crate::kernel::text;

/// All routes, in the order of the road: developing first, then the procedures from freest to strictest, then what is
/// not under them.
pub const ROUTES: [Route; 8] = [
    Route {
        key: "opi_without_tender",
        title: || {
            text!(
                "Udbudsfrit OPI: forskning og udvikling uden udbud",
                "Public-private innovation without a tender: research and development"
            )
        },
        provision: || {
            text!(
                "Udbudsloven § 22 (direktiv 2014/24/EU, artikel 14)",
                "Udbudsloven § 22 (directive 2014/24/EU, article 14)"
            )
        },
        conditions: &[&RESEARCH, &NOT_ALL_OURS, &NO_PURCHASE, &LAW, &NOTHING_FITS, &KNOWLEDGE_IS_SHARED],
    },
    Route {
        key: "innovation_partnership",
        title: || text!("Innovationspartnerskab", "Innovation partnership"),
        provision: || text!("Udbudsloven §§ 73-79", "Udbudsloven §§ 73-79"),
        conditions: &[&NOTHING_FITS_AT_ALL, &NEW_SOLUTION, &PURCHASE, &REACHES, &NOT_LIGHT, &LAW, &JOINT],
    },
    Route {
        key: "competitive_dialogue",
        title: || text!("Konkurrencepræget dialog", "Competitive dialogue"),
        provision: || text!("Udbudsloven §§ 67-72", "Udbudsloven §§ 67-72"),
        conditions: &[&FLEXIBLE, &PURCHASE, &REACHES, &NOT_LIGHT, &LAW, &HARD_TO_DESCRIBE, &JOINT],
    },
    Route {
        key: "negotiated_procedure",
        title: || text!("Udbud med forhandling", "Competitive procedure with negotiation"),
        provision: || text!("Udbudsloven §§ 61-66", "Udbudsloven §§ 61-66"),
        conditions: &[&FLEXIBLE, &PURCHASE, &REACHES, &NOT_LIGHT, &LAW, &EASY_TO_DESCRIBE, &JOINT],
    },
    Route {
        key: "open_procedure",
        title: || text!("Offentligt udbud", "Open procedure"),
        provision: || text!("Udbudsloven §§ 56-57", "Udbudsloven §§ 56-57"),
        conditions: &[&PURCHASE, &REACHES, &NOT_LIGHT, &LAW, &ON_THE_SHELF, &EASY_TO_DESCRIBE, &JOINT],
    },
    Route {
        key: "light_regime",
        title: || {
            text!(
                "Light-regimet: sociale og andre specifikke tjenesteydelser",
                "The light regime: social and other specific services"
            )
        },
        provision: || text!("Udbudsloven afsnit III (§§ 186-190)", "Udbudsloven part III (§§ 186-190)"),
        conditions: &[&LIGHT, &PURCHASE, &REACHES, &LAW, &JOINT],
    },
    Route {
        key: "below_threshold_cross_border",
        title: || {
            text!(
                "Under tærskelværdien, med klar grænseoverskridende interesse",
                "Below the threshold, of clear cross-border interest"
            )
        },
        provision: || text!("Udbudsloven afsnit IV (§§ 191-192)", "Udbudsloven part IV (§§ 191-192)"),
        conditions: &[&BELOW, &INTEREST, &PURCHASE, &NO_WORKS, &LAW],
    },
    Route {
        key: "below_threshold_domestic",
        title: || {
            text!(
                "Under tærskelværdien, uden klar grænseoverskridende interesse",
                "Below the threshold, of no clear cross-border interest"
            )
        },
        provision: || text!("Udbudsloven § 11 og afsnit V", "Udbudsloven § 11 and part V"),
        conditions: &[&BELOW, &NO_INTEREST, &PURCHASE, &NO_WORKS, &LAW],
    },
];

fn yes(answer: YesNo) -> Option<bool> {
    match answer {
        YesNo::Yes => Some(true),
        YesNo::No => Some(false),
        YesNo::Unknown => None,
    }
}

fn no(answer: YesNo) -> Option<bool> {
    yes(answer).map(|is| !is)
}

/// Whether either holds, as far as that is known (Kleene).
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn not_alone(party: Party) -> Option<bool> {
    match party {
        Party::Unknown => None,
        party => Some(party != Party::Authority),
    }
}

fn new_solution(facts: &Facts<'_>) -> Option<bool> {
    match facts.asked.development {
        Development::Unknown => None,
        development => Some(development == Development::NewSolution),
    }
}

fn light(facts: &Facts<'_>) -> Option<bool> {
    match facts.asked.nature {
        Nature::Unknown => None,
        nature => Some(nature == Nature::LightServices),
    }
}

const VALUE: &[Question] = &[Question::Value, Question::Authority, Question::Nature, Question::Threshold];

const RESEARCH: Condition = Condition {
    asks: &[Question::Development],
    holds: new_solution,
    decides: true,
    speaks_for: || {
        text!(
            "Der skal forskes eller udvikles noget, som ikke findes",
            "Something that is not there is to be researched or developed"
        )
    },
    speaks_against: || {
        text!(
            "At købe eller tilpasse noget, der findes, er hverken forskning eller udvikling",
            "Buying or adapting what is there is neither research nor development"
        )
    },
};

const NOT_ALL_OURS: Condition = Condition {
    asks: &[Question::PaidBy, Question::ResultsOwnedBy],
    holds: |facts| either(not_alone(facts.asked.paid_by), not_alone(facts.asked.results_owned_by)),
    decides: true,
    speaks_for: || {
        text!(
            "Loven gælder kun udviklingstjenester, som ordregiveren betaler helt og ejer alene; her deles betalingen eller resultaterne",
            "The law covers development services only where the authority pays all and owns all; here payment or results are shared"
        )
    },
    speaks_against: || {
        text!(
            "Ordregiveren betaler alt og ejer resultaterne alene: så gælder udbudsloven for udviklingen",
            "The authority pays all and owns the results alone: the law then covers the development"
        )
    },
};

const NO_PURCHASE: Condition = Condition {
    asks: &[Question::BuyingIncluded],
    holds: |facts| no(facts.asked.buying_included),
    decides: true,
    speaks_for: || {
        text!(
            "Kun udviklingen aftales; et køb af den færdige løsning udbydes for sig",
            "Only the development is agreed; buying the finished solution is tendered by itself"
        )
    },
    speaks_against: || {
        text!(
            "Et køb af den færdige løsning er ikke undtaget og skal udbydes",
            "Buying the finished solution is not exempt and must be tendered"
        )
    },
};

const KNOWLEDGE_IS_SHARED: Condition = Condition {
    asks: &[Question::ResultsOwnedBy],
    holds: |facts| not_alone(facts.asked.results_owned_by),
    decides: false,
    speaks_for: || {
        text!(
            "Husk § 39: den viden, som partneren får, skal deles med alle før et senere udbud",
            "Mind § 39: what the partner learns must be shared with all before a later tender"
        )
    },
    speaks_against: || {
        text!(
            "Ejer ordregiveren alt, skal betalingen deles, for at undtagelsen gælder",
            "If the authority owns all, payment must be shared for the exemption to hold"
        )
    },
};

const NOTHING_FITS: Condition = Condition {
    asks: &[Question::SolutionExists],
    holds: |facts| no(facts.asked.solution_exists),
    decides: false,
    speaks_for: || text!("Markedet har ikke noget, der dækker behovet", "The market has nothing that meets the need"),
    speaks_against: || {
        text!(
            "Markedet har en løsning: den kan købes frem for at blive udviklet igen",
            "The market has a solution: it can be bought rather than developed again"
        )
    },
};

const NOTHING_FITS_AT_ALL: Condition = Condition { decides: true, ..NOTHING_FITS };

const NEW_SOLUTION: Condition = Condition {
    asks: &[Question::Development],
    holds: new_solution,
    decides: true,
    speaks_for: || {
        text!(
            "Løsningen er ny og skal udvikles, før den kan købes",
            "The solution is new and must be developed before it can be bought"
        )
    },
    speaks_against: || {
        text!(
            "Formen er til nye løsninger; en tilpasning kræver den ikke",
            "This is for new solutions; an adaptation does not take it"
        )
    },
};

const PURCHASE: Condition = Condition {
    asks: &[Question::BuyingIncluded],
    holds: |facts| yes(facts.asked.buying_included),
    decides: true,
    speaks_for: || {
        text!(
            "Den færdige løsning kan købes i samme kontrakt",
            "The finished solution can be bought in the same contract"
        )
    },
    speaks_against: || text!("Der skal ikke købes noget i kontrakten", "The contract buys nothing"),
};

const REACHES: Condition = Condition {
    asks: VALUE,
    holds: |facts| facts.reaches_threshold(),
    decides: true,
    speaks_for: || {
        text!(
            "Værdien når tærskelværdien, så loven kræver et udbud (§ 6)",
            "The value reaches the threshold, so the law demands a tender (§ 6)"
        )
    },
    speaks_against: || {
        text!(
            "Værdien er under tærskelværdien: formen er ikke påkrævet, men kan vælges frivilligt",
            "The value is below the threshold: this is not demanded, but may be chosen"
        )
    },
};

const BELOW: Condition = Condition {
    asks: VALUE,
    holds: |facts| facts.reaches_threshold().map(|reaches| !reaches),
    decides: true,
    speaks_for: || text!("Værdien er under tærskelværdien (§ 6)", "The value is below the threshold (§ 6)"),
    speaks_against: || text!("Værdien når tærskelværdien", "The value reaches the threshold"),
};

const LIGHT: Condition = Condition {
    asks: &[Question::Nature],
    holds: light,
    decides: true,
    speaks_for: || {
        text!(
            "Ordregiveren tilrettelægger selv forløbet, inden for ligebehandling og gennemsigtighed",
            "The authority designs the procedure itself, within equal treatment and transparency"
        )
    },
    speaks_against: || {
        text!("Det er ikke en social eller anden specifik tjenesteydelse", "It is no social or other specific service")
    },
};

const NOT_LIGHT: Condition = Condition {
    asks: &[Question::Nature],
    holds: |facts| light(facts).map(|is| !is),
    decides: true,
    speaks_for: || text!("Afsnit II gælder for ydelsen", "Part II applies to what is bought"),
    speaks_against: || {
        text!(
            "Sociale og andre specifikke tjenesteydelser følger light-regimet; formen kan vælges frivilligt",
            "Social and other specific services follow the light regime; this may be chosen"
        )
    },
};

const NO_WORKS: Condition = Condition {
    asks: &[Question::Nature],
    holds: |facts| match facts.asked.nature {
        Nature::Unknown => None,
        nature => Some(nature != Nature::Works),
    },
    decides: true,
    speaks_for: || text!("Det er varer eller tjenesteydelser", "It is supplies or services"),
    speaks_against: || {
        text!(
            "Bygge- og anlægsarbejder under tærskelværdien følger tilbudsloven",
            "Works below the threshold follow tilbudsloven"
        )
    },
};

const INTEREST: Condition = Condition {
    asks: &[Question::CrossBorderInterest],
    holds: |facts| yes(facts.asked.cross_border_interest),
    decides: true,
    speaks_for: || {
        text!(
            "Kontrakten skal annonceres på udbud.dk, og virksomhederne behandles lige",
            "The contract is announced on udbud.dk, and companies are treated alike"
        )
    },
    speaks_against: || {
        text!(
            "Kontrakten har ingen klar grænseoverskridende interesse",
            "The contract is of no clear cross-border interest"
        )
    },
};

const NO_INTEREST: Condition = Condition {
    asks: &[Question::CrossBorderInterest],
    holds: |facts| no(facts.asked.cross_border_interest),
    decides: true,
    speaks_for: || text!("Der skal kun købes på markedsmæssige vilkår", "It need only be bought on market terms"),
    speaks_against: || {
        text!("Kontrakten har klar grænseoverskridende interesse", "The contract is of clear cross-border interest")
    },
};

const FLEXIBLE: Condition = Condition {
    asks: &[Question::Development, Question::PreciselyDescribed],
    holds: |facts| {
        let developed = match facts.asked.development {
            Development::Unknown => None,
            development => Some(development != Development::None),
        };
        either(developed, no(facts.asked.precisely_described))
    },
    decides: true,
    speaks_for: || {
        text!(
            "Behovet kræver tilpasning, nye løsninger eller forhandling, som § 61 forudsætter",
            "The need takes adaptation, new solutions or negotiation, as § 61 demands"
        )
    },
    speaks_against: || {
        text!(
            "Kan det købes, som det er, og beskrives præcist, er betingelserne i § 61 ikke opfyldt",
            "What can be bought as it is and be described precisely does not meet the conditions of § 61"
        )
    },
};

const HARD_TO_DESCRIBE: Condition = Condition {
    asks: &[Question::PreciselyDescribed],
    holds: |facts| no(facts.asked.precisely_described),
    decides: false,
    speaks_for: || {
        text!(
            "Dialogen finder frem til, hvad der kan dække behovet, før der gives tilbud",
            "The dialogue finds out what can meet the need before offers are made"
        )
    },
    speaks_against: || {
        text!(
            "Behovet kan beskrives præcist: en dialog koster alle parter mere end den giver",
            "The need can be described precisely: a dialogue costs all sides more than it gives"
        )
    },
};

const EASY_TO_DESCRIBE: Condition = Condition {
    asks: &[Question::PreciselyDescribed],
    holds: |facts| yes(facts.asked.precisely_described),
    decides: false,
    speaks_for: || {
        text!(
            "Behovet kan beskrives, så tilbud kan sammenlignes",
            "The need can be described so that offers can be compared"
        )
    },
    speaks_against: || {
        text!(
            "Behovet kan ikke beskrives præcist nok til straks at sammenligne tilbud",
            "The need cannot be described precisely enough to compare offers at once"
        )
    },
};

const ON_THE_SHELF: Condition = Condition {
    asks: &[Question::SolutionExists],
    holds: |facts| yes(facts.asked.solution_exists),
    decides: false,
    speaks_for: || text!("Markedet har en løsning, og alle kan byde", "The market has a solution, and all may bid"),
    speaks_against: || {
        text!(
            "Der kan hverken forhandles eller udvikles sammen undervejs, og markedet har ingen løsning",
            "There is neither negotiation nor joint development on the way, and the market has no solution"
        )
    },
};

const JOINT: Condition = Condition {
    asks: &[],
    // More buyers change what to mind, not which routes there are.
    holds: |facts| yes(facts.asked.several_buyers),
    decides: false,
    speaks_for: || {
        text!(
            "Flere kan købe sammen: udpeg én ledende ordregiver, og læg alle køberes værdier sammen",
            "Several can buy together: name one lead buyer, and add up the values of all"
        )
    },
    speaks_against: || {
        text!(
            "Kun én køber: se, om andre har samme behov, før udbuddet begynder",
            "One buyer only: look whether others have the same need before the tender begins"
        )
    },
};

const LAW: Condition = Condition {
    asks: &[Question::Authority, Question::Law],
    holds: |facts| match facts.asked.authority {
        Authority::State | Authority::SubCentral => Some(true),
        Authority::Utility | Authority::Unknown => None,
    },
    decides: true,
    speaks_for: || text!("Udbudsloven gælder for myndigheden", "Udbudsloven applies to the authority"),
    speaks_against: || text!("Udbudsloven gælder ikke for myndigheden", "Udbudsloven does not apply to the authority"),
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model::{Advice, Questions, Verdict, advise};
    use super::super::threshold::{Threshold, ThresholdAuthority, ThresholdCategory};
    use crate::kernel::{Currency, Money};

    use super::*;

    fn threshold() -> Threshold {
        let (first_year, last_year) = (2024, 2025);
        let category = ThresholdCategory::SuppliesAndServices;
        let authority = ThresholdAuthority::SubCentral;
        Threshold {
            first_year,
            last_year,
            authority,
            category,
            eur: Some(221_000),
            dkk: Some(1_644_638),
            basis: String::new(),
        }
    }

    fn verdict(advice: &Advice, key: &str) -> Verdict {
        advice.routes.iter().find(|route| route.key == key).unwrap().verdict
    }

    /// A municipality that wants something new made, together with others.
    fn something_new() -> Questions {
        Questions {
            solution_exists: YesNo::No,
            development: Development::NewSolution,
            paid_by: Party::Shared,
            results_owned_by: Party::Shared,
            buying_included: YesNo::No,
            value: Some(Money::dkk(5_000_000)),
            authority: Authority::SubCentral,
            nature: Nature::Services,
            several_buyers: YesNo::Yes,
            precisely_described: YesNo::No,
            cross_border_interest: YesNo::Yes,
            begins_on: None,
        }
    }

    #[test]
    fn development_that_is_shared_and_buys_nothing_needs_no_tender() {
        let advice = advise(&something_new(), Some(&threshold()));
        assert_eq!(verdict(&advice, "opi_without_tender"), Verdict::Candidate);
        assert_eq!(verdict(&advice, "innovation_partnership"), Verdict::NoCandidate);
        assert_eq!(advice.routes.first().unwrap().key, "opi_without_tender");
        assert!(advice.missing.is_empty(), "{:?}", advice.missing);
    }

    #[test]
    fn development_that_is_paid_and_owned_alone_is_under_the_law() {
        let alone = Questions { paid_by: Party::Authority, results_owned_by: Party::Authority, ..something_new() };
        assert_eq!(verdict(&advise(&alone, None), "opi_without_tender"), Verdict::NoCandidate);
        let half_known = Questions { results_owned_by: Party::Unknown, ..alone };
        let advice = advise(&half_known, None);
        assert_eq!(verdict(&advice, "opi_without_tender"), Verdict::Unclear);
        assert!(advice.missing.contains(&Question::ResultsOwnedBy));
    }

    #[test]
    fn development_and_purchase_in_one_make_a_partnership() {
        let both = Questions { buying_included: YesNo::Yes, ..something_new() };
        let advice = advise(&both, Some(&threshold()));
        assert_eq!(verdict(&advice, "innovation_partnership"), Verdict::Candidate);
        assert_eq!(verdict(&advice, "opi_without_tender"), Verdict::NoCandidate);
        assert_eq!(verdict(&advice, "below_threshold_cross_border"), Verdict::NoCandidate);
    }

    #[test]
    fn what_can_be_bought_as_it_is_goes_to_open_tender() {
        let bought = Questions {
            solution_exists: YesNo::Yes,
            development: Development::None,
            buying_included: YesNo::Yes,
            precisely_described: YesNo::Yes,
            ..something_new()
        };
        let advice = advise(&bought, Some(&threshold()));
        assert_eq!(verdict(&advice, "open_procedure"), Verdict::Candidate);
        for other in ["innovation_partnership", "competitive_dialogue", "negotiated_procedure", "opi_without_tender"] {
            assert_eq!(verdict(&advice, other), Verdict::NoCandidate, "{other}");
        }
        let small = Questions { value: Some(Money::dkk(1_644_637)), ..bought };
        let advice = advise(&small, Some(&threshold()));
        assert_eq!(verdict(&advice, "below_threshold_cross_border"), Verdict::Candidate, "one krone below");
        assert_eq!(verdict(&advice, "open_procedure"), Verdict::NoCandidate);
    }

    #[test]
    fn a_period_without_a_figure_answers_unknown() {
        let buying = Questions { buying_included: YesNo::Yes, ..something_new() };
        for threshold in [None, Some(Threshold { dkk: None, ..threshold() })] {
            let advice = advise(&buying, threshold.as_ref());
            assert_eq!(advice.reaches_threshold, YesNo::Unknown);
            assert_eq!(verdict(&advice, "innovation_partnership"), Verdict::Unclear);
            assert_eq!(advice.missing, [Question::Threshold]);
        }
        let in_euro = Questions { value: Some(Money { amount: 221_000, currency: Currency::EUR }), ..buying };
        let advice = advise(&in_euro, Some(&Threshold { dkk: None, ..threshold() }));
        assert_eq!(advice.reaches_threshold, YesNo::Yes);
    }

    #[test]
    fn a_utility_is_told_that_another_law_holds() {
        let advice = advise(&Questions { authority: Authority::Utility, ..something_new() }, Some(&threshold()));
        assert!(advice.routes.iter().all(|route| route.verdict != Verdict::Candidate));
        assert!(advice.missing.contains(&Question::Law));
    }

    fn answers() -> impl Strategy<Value = Questions> {
        let yes_no = || prop_oneof![Just(YesNo::Yes), Just(YesNo::No), Just(YesNo::Unknown)];
        let party =
            || prop_oneof![Just(Party::Authority), Just(Party::Shared), Just(Party::Supplier), Just(Party::Unknown)];
        let development = prop_oneof![
            Just(Development::None),
            Just(Development::Adaptation),
            Just(Development::NewSolution),
            Just(Development::Unknown)
        ];
        let authority = prop_oneof![
            Just(Authority::State),
            Just(Authority::SubCentral),
            Just(Authority::Utility),
            Just(Authority::Unknown)
        ];
        let nature = prop_oneof![
            Just(Nature::Supplies),
            Just(Nature::Services),
            Just(Nature::LightServices),
            Just(Nature::Works),
            Just(Nature::Unknown)
        ];
        let value = prop::option::of((0_i64..5_000_000).prop_map(Money::dkk));
        (
            (yes_no(), development, party(), party(), yes_no()),
            (value, authority, nature),
            (yes_no(), yes_no(), yes_no()),
        )
            .prop_map(
                |(
                    (solution_exists, development, paid_by, results_owned_by, buying_included),
                    (value, authority, nature),
                    rest,
                )| Questions {
                    solution_exists,
                    development,
                    paid_by,
                    results_owned_by,
                    buying_included,
                    value,
                    authority,
                    nature,
                    several_buyers: rest.0,
                    precisely_described: rest.1,
                    cross_border_interest: rest.2,
                    begins_on: None,
                },
            )
    }

    /// The same answers with one of them taken back.
    fn forget(mut asked: Questions, which: usize) -> Questions {
        match which {
            0 => asked.solution_exists = YesNo::Unknown,
            1 => asked.development = Development::Unknown,
            2 => asked.paid_by = Party::Unknown,
            3 => asked.results_owned_by = Party::Unknown,
            4 => asked.buying_included = YesNo::Unknown,
            5 => asked.value = None,
            6 => asked.authority = Authority::Unknown,
            7 => asked.nature = Nature::Unknown,
            8 => asked.precisely_described = YesNo::Unknown,
            _ => asked.cross_border_interest = YesNo::Unknown,
        }
        asked
    }

    proptest! {
        #[test]
        fn knowing_less_never_makes_a_verdict_more_certain(asked in answers(), which in 0_usize..10) {
            let threshold = threshold();
            let (more, less) = (advise(&asked, Some(&threshold)), advise(&forget(asked, which), Some(&threshold)));
            for route in &less.routes {
                let before = verdict(&more, route.key);
                prop_assert!(route.verdict == before || route.verdict == Verdict::Unclear, "{}: {before:?} became {:?}", route.key, route.verdict);
            }
        }

        #[test]
        fn an_unclear_route_says_what_is_missing(asked in answers()) {
            for threshold in [None, Some(threshold())] {
                for route in advise(&asked, threshold.as_ref()).routes {
                    prop_assert!(route.verdict != Verdict::Unclear || !route.missing.is_empty(), "{}", route.key);
                    prop_assert!(route.verdict != Verdict::NoCandidate || !route.speaks_against.is_empty(), "{}", route.key);
                }
            }
        }

        #[test]
        fn a_purchase_is_never_both_above_and_below(asked in answers()) {
            let threshold = threshold();
            let advice = advise(&asked, Some(&threshold));
            let candidate = |key| verdict(&advice, key) == Verdict::Candidate;
            prop_assert!(!(candidate("open_procedure") && candidate("below_threshold_domestic")));
            prop_assert!(!(candidate("below_threshold_cross_border") && candidate("below_threshold_domestic")));
        }
    }

    #[test]
    fn nothing_answered_leaves_every_route_unclear() {
        let advice = advise(&Questions::default(), None);
        assert!(advice.routes.iter().all(|route| route.verdict == Verdict::Unclear));
    }
}
