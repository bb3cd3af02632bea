//! What is asked, and how the rules are read: a route is a candidate when each condition that decides it is known to
//! hold, and no candidate when one is known not to. Anything else is unclear.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules::ROUTES;
use super::threshold::Threshold;
use crate::kernel::{Currency, Fitting, Flaws, Money, Text, text};

/// An answer to a question of yes and no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum YesNo {
    Yes,
    No,
    #[default]
    Unknown,
}

/// How much must be developed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Development {
    /// It can be bought as it is.
    None,
    /// What the market has must be adapted.
    Adaptation,
    /// Something must be found out and made that is not there: research or experimental development.
    NewSolution,
    #[default]
    Unknown,
}

/// Who pays, or whose the results are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The public side alone.
    Authority,
    /// Both sides.
    Shared,
    /// The supplier alone.
    Supplier,
    #[default]
    Unknown,
}

/// What kind of authority buys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// A central state authority.
    State,
    /// A municipality, a region or a body governed by public law.
    SubCentral,
    /// One that buys for its supply activity: water, energy, transport, postal services.
    Utility,
    #[default]
    Unknown,
}

/// What is bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PurchaseNature)]
pub enum Nature {
    Supplies,
    Services,
    /// Social and other specific services (directive 2014/24/EU, annex XIV).
    LightServices,
    Works,
    #[default]
    Unknown,
}

/// What is known of the matter; what is left out is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = RouteQuestions, example = json!({"solution_exists": "no", "development": "new_solution", "paid_by": "shared",
    "results_owned_by": "shared", "buying_included": "no", "value": {"amount": 2_000_000, "currency": "DKK"},
    "authority": "sub_central", "nature": "services", "several_buyers": "yes"}))]
pub struct Questions {
    /// Whether the market has something that meets the need.
    pub solution_exists: YesNo,
    pub development: Development,
    /// Who pays for the development.
    pub paid_by: Party,
    /// Whose the results of the development are.
    pub results_owned_by: Party,
    /// Whether the same contract is to buy the finished solution.
    pub buying_included: YesNo,
    /// The estimated value of the whole contract with all options, of all buyers together, excluding VAT.
    pub value: Option<Money>,
    pub authority: Authority,
    pub nature: Nature,
    /// Whether more than one body buys.
    pub several_buyers: YesNo,
    /// Whether the need can be described so precisely that offers can be compared at once.
    pub precisely_described: YesNo,
    /// Whether a company in another member state would clearly be interested (udbudsloven § 191).
    pub cross_border_interest: YesNo,
    /// The day on which the tender is to begin, which picks the thresholds; today when left out.
    pub begins_on: Option<NaiveDate>,
}

impl Fitting for Questions {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(value) = self.value {
            value.check("/value", flaws);
            if !matches!(value.currency, Currency::DKK | Currency::EUR) {
                let words = text!("Tærskelværdier findes i DKK og EUR", "Thresholds are in DKK and EUR");
                flaws.add("/value/currency", "other_currency", words);
            }
        }
        flaws.date("/begins_on", self.begins_on);
    }
}

/// One of the questions, by its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RouteQuestion)]
pub enum Question {
    SolutionExists,
    Development,
    PaidBy,
    ResultsOwnedBy,
    BuyingIncluded,
    Value,
    Authority,
    Nature,
    PreciselyDescribed,
    CrossBorderInterest,
    /// The figure of the period: an operator loads it.
    Threshold,
    /// Which law applies to a utility's purchase.
    Law,
}

impl Question {
    /// The question in words.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::SolutionExists => {
                text!("Findes der en løsning, som dækker behovet?", "Is there a solution that meets the need?")
            }
            Self::Development => {
                text!("Skal der udvikles noget, og hvor meget?", "Must something be developed, and how much?")
            }
            Self::PaidBy => text!("Hvem betaler for udviklingen?", "Who pays for the development?"),
            Self::ResultsOwnedBy => text!("Hvem ejer resultaterne?", "Whose are the results?"),
            Self::BuyingIncluded => {
                text!(
                    "Skal den færdige løsning købes i samme kontrakt?",
                    "Is the finished solution bought in the same contract?"
                )
            }
            Self::Value => {
                text!("Hvad er hele kontrakten værd, uden moms?", "What is the whole contract worth, excluding VAT?")
            }
            Self::Authority => text!("Hvilken slags myndighed køber?", "What kind of authority buys?"),
            Self::Nature => text!(
                "Er det varer, tjenesteydelser eller bygge- og anlægsarbejder?",
                "Is it supplies, services or works?"
            ),
            Self::PreciselyDescribed => {
                text!(
                    "Kan behovet beskrives så præcist, at tilbud kan sammenlignes?",
                    "Can the need be described precisely enough to compare offers?"
                )
            }
            Self::CrossBorderInterest => text!(
                "Har kontrakten en klar grænseoverskridende interesse?",
                "Is the contract of clear cross-border interest?"
            ),
            Self::Threshold => text!(
                "Tærskelværdien for perioden og valutaen er ikke indlæst, så værdien kan ikke holdes op imod den",
                "The threshold of the period in this currency is not loaded, so the value cannot be held against it"
            ),
            Self::Law => text!(
                "Forsyningsvirksomhed følger forsyningsvirksomhedsdirektivet (2014/25/EU); det er ikke afgjort her",
                "Utilities follow the utilities directive (2014/25/EU); it is not decided here"
            ),
        }
    }
}

/// How a route stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RouteVerdict)]
pub enum Verdict {
    /// Each condition is known to hold.
    Candidate,
    /// Something that decides is not known.
    Unclear,
    /// A condition is known not to hold.
    NoCandidate,
}

/// What the rules look at: the answers, and how the value stands to the threshold.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub asked: &'a Questions,
    pub threshold: Option<&'a Threshold>,
}

impl Facts<'_> {
    /// Whether the value reaches the threshold (udbudsloven § 6: as large or larger); unknown without both.
    pub fn reaches_threshold(&self) -> Option<bool> {
        let value = self.asked.value?;
        Some(value.amount >= self.threshold?.amount_in(value.currency)?)
    }
}

/// A condition of a route.
pub struct Condition {
    /// The answers it reads.
    pub asks: &'static [Question],
    /// Whether it holds; `None` while that is not known.
    pub holds: fn(&Facts<'_>) -> Option<bool>,
    /// Whether the route stands or falls with it; otherwise it only speaks for or against.
    pub decides: bool,
    pub speaks_for: fn() -> Text,
    pub speaks_against: fn() -> Text,
}

/// A way to develop or buy.
pub struct Route {
    pub key: &'static str,
    pub title: fn() -> Text,
    pub provision: fn() -> Text,
    pub conditions: &'static [&'static Condition],
}

/// What is said of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAdvice {
    pub key: &'static str,
    pub title: Text,
    pub provision: Text,
    pub verdict: Verdict,
    pub speaks_for: Vec<Text>,
    pub speaks_against: Vec<Text>,
    pub missing: Vec<Question>,
}

/// What is said of all routes, the candidates first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub routes: Vec<RouteAdvice>,
    /// Whether the value reaches the threshold.
    pub reaches_threshold: YesNo,
    /// What would decide more.
    pub missing: Vec<Question>,
}

/// Holds the answers against every route.
#[must_use]
pub fn advise(asked: &Questions, threshold: Option<&Threshold>) -> Advice {
    let facts = Facts { asked, threshold };
    let mut routes: Vec<RouteAdvice> = ROUTES.iter().map(|route| judge(route, &facts)).collect();
    routes.sort_by_key(|route| route.verdict);
    let mut missing: Vec<Question> = routes
        .iter()
        .filter(|route| route.verdict == Verdict::Unclear)
        .flat_map(|route| route.missing.iter().copied())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let reaches_threshold = match facts.reaches_threshold() {
        Some(true) => YesNo::Yes,
        Some(false) => YesNo::No,
        None => YesNo::Unknown,
    };
    Advice { routes, reaches_threshold, missing }
}

fn judge(route: &Route, facts: &Facts<'_>) -> RouteAdvice {
    let (mut speaks_for, mut speaks_against, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut verdict = Verdict::Candidate;
    for condition in route.conditions {
        let holds = (condition.holds)(facts);
        match holds {
            Some(true) => speaks_for.push((condition.speaks_for)()),
            Some(false) => speaks_against.push((condition.speaks_against)()),
            None => missing.extend(condition.asks.iter().filter(|question| is_open(**question, facts))),
        }
        if condition.decides {
            verdict = match holds {
                Some(true) => verdict,
                None => verdict.max(Verdict::Unclear),
                Some(false) => Verdict::NoCandidate,
            };
        }
    }
    missing.sort_unstable();
    missing.dedup();
    if verdict == Verdict::NoCandidate {
        missing.clear();
    }
    let (title, provision) = ((route.title)(), (route.provision)());
    RouteAdvice { key: route.key, title, provision, verdict, speaks_for, speaks_against, missing }
}

/// Whether a question is still open.
fn is_open(question: Question, facts: &Facts<'_>) -> bool {
    let asked = facts.asked;
    match question {
        Question::SolutionExists => asked.solution_exists == YesNo::Unknown,
        Question::Development => asked.development == Development::Unknown,
        Question::PaidBy => asked.paid_by == Party::Unknown,
        Question::ResultsOwnedBy => asked.results_owned_by == Party::Unknown,
        Question::BuyingIncluded => asked.buying_included == YesNo::Unknown,
        Question::Value => asked.value.is_none(),
        Question::Authority => asked.authority == Authority::Unknown,
        Question::Nature => asked.nature == Nature::Unknown,
        Question::PreciselyDescribed => asked.precisely_described == YesNo::Unknown,
        Question::CrossBorderInterest => asked.cross_border_interest == YesNo::Unknown,
        // Only the kind of authority and of purchase say which figure is missing.
        Question::Threshold => {
            let named = asked.authority != Authority::Unknown && asked.nature != Nature::Unknown;
            named
                && asked.value.is_some_and(|value| facts.threshold.and_then(|t| t.amount_in(value.currency)).is_none())
        }
        Question::Law => asked.authority == Authority::Utility,
    }
}
