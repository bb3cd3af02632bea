//! Criteria sets, calls and assessments, as things.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ReductionKind;
use crate::kernel::{Fitting, Flaws, Id, Instant, Language, Text, text};

/// What a criterion asks for, with its thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Hours are freed, and it is said how it is known.
    TimeSavings {
        /// The least hours a year, above 0.
        min_hours_per_year: f64,
    },
    /// Emissions or resources are saved.
    Reduction {
        /// The kinds that count.
        kinds: Vec<ReductionKind>,
    },
    /// Other bodies have it too, and there is volume behind it.
    Scale {
        /// How many other bodies at least, 1 or more.
        min_other_bodies: u32,
    },
    /// A political and an administrative sponsor stand behind it.
    Anchoring {
        /// Whether the body's word is not enough: both sponsors must have confirmed it themselves.
        #[serde(default)]
        must_be_confirmed: bool,
    },
}

/// One criterion of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// 1 to 60 characters: small letters, digits and `_`.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z0-9_]+$")]
    pub key: String,
    /// In Danish; 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title_da: String,
    /// In English; 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title_en: String,
    pub rule: Rule,
}

/// What is told of a version of a criteria set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title_da": "Velfærdsteknologi", "title_en": "Welfare technology", "hours_per_full_time_equivalent": 1924.0,
    "criteria": [{"key": "time_savings", "title_da": "Tidsbesparende", "title_en": "Saves time", "rule": {"kind": "time_savings", "min_hours_per_year": 1.0}}]}))]
pub struct CriteriaSetBody {
    /// In Danish; 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title_da: String,
    /// In English; 1 to 120 characters.
    #[schema(min_length = 1, max_length = 120)]
    pub title_en: String,
    /// Hours that make one full-time equivalent (årsværk); 1,924 gross when left out.
    #[serde(default = "gross_year")]
    #[schema(minimum = 1, maximum = 3000, default = 1924.0)]
    pub hours_per_full_time_equivalent: f64,
    /// 1 to 20 criteria, each key once.
    #[schema(min_items = 1, max_items = 20)]
    pub criteria: Vec<Criterion>,
}

fn gross_year() -> f64 {
    1924.0
}

impl Fitting for CriteriaSetBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title_da", &mut self.title_da, 1, 120);
        flaws.line("/title_en", &mut self.title_en, 1, 120);
        flaws.number("/hours_per_full_time_equivalent", self.hours_per_full_time_equivalent, 1.0, 3000.0);
        flaws.count("/criteria", &self.criteria, 1, 20);
        let mut keys = Vec::new();
        for (index, criterion) in self.criteria.iter_mut().enumerate() {
            let at = |field: &str| format!("/criteria/{index}/{field}");
            flaws.line(&at("key"), &mut criterion.key, 1, 60);
            if !criterion.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
                flaws.add(&at("key"), "not_a_key", text!("Små bogstaver, cifre og _", "Small letters, digits and _"));
            }
            if keys.contains(&criterion.key) {
                flaws.add(&at("key"), "twice", text!("Nøglen er brugt før", "The key was used before"));
            }
            keys.push(criterion.key.clone());
            flaws.line(&at("title_da"), &mut criterion.title_da, 1, 120);
            flaws.line(&at("title_en"), &mut criterion.title_en, 1, 120);
            match &criterion.rule {
                Rule::TimeSavings { min_hours_per_year } => {
                    flaws.number(&at("rule/min_hours_per_year"), *min_hours_per_year, f64::MIN_POSITIVE, 1e8);
                }
                Rule::Scale { min_other_bodies } => {
                    flaws.number(&at("rule/min_other_bodies"), f64::from(*min_other_bodies), 1.0, 1000.0);
                }
                Rule::Reduction { kinds } => flaws.count(&at("rule/kinds"), kinds, 1, 4),
                Rule::Anchoring { .. } => {}
            }
        }
    }
}

/// One version of a criteria set.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CriteriaSet {
    #[schema(example = "welfare-technology")]
    pub key: String,
    /// 1, 2, 3 …
    pub version: i32,
    #[serde(flatten)]
    pub body: CriteriaSetBody,
}

/// The sets that every installation knows.
#[must_use]
pub fn built_in() -> Vec<CriteriaSet> {
    let criterion = |key: &str, title_da: &str, title_en: &str, rule| Criterion {
        key: key.to_owned(),
        title_da: title_da.to_owned(),
        title_en: title_en.to_owned(),
        rule,
    };
    let scale = || criterion("scale", "Skala fra start", "Scale from the start", Rule::Scale { min_other_bodies: 1 });
    let by_word = Rule::Anchoring { must_be_confirmed: false };
    let anchoring = || criterion("anchoring", "Toplederforankring", "Top-management anchoring", by_word.clone());
    let set = |key: &str, title_da: &str, title_en: &str, first| CriteriaSet {
        key: key.to_owned(),
        version: 1,
        body: CriteriaSetBody {
            title_da: title_da.to_owned(),
            title_en: title_en.to_owned(),
            hours_per_full_time_equivalent: gross_year(),
            criteria: vec![first, scale(), anchoring()],
        },
    };
    let any_time = Rule::TimeSavings { min_hours_per_year: 1.0 };
    let any_kind = vec![ReductionKind::Co2, ReductionKind::RawMaterial, ReductionKind::Energy, ReductionKind::Other];
    vec![
        set(
            "welfare-technology",
            "Velfærdsteknologi",
            "Welfare technology",
            criterion("time_savings", "Tidsbesparende", "Saves time", any_time),
        ),
        set(
            "green-transition",
            "Grøn omstilling",
            "Green transition",
            criterion(
                "emission_or_resource_reduction",
                "Mindre udledning eller ressourceforbrug",
                "Less emission or use of resources",
                Rule::Reduction { kinds: any_kind },
            ),
        ),
    ]
}

/// What a criterion says of a challenge, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    NotMet,
    /// Something is missing; the reasons say what.
    Unclear,
    Met,
}

/// One thing to state that the challenge does not state yet, for programs; `to_change` says the same to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AssessmentChange, example = json!({"pointer": "/time_savings/hours_per_year", "at_least": 1}))]
pub struct Change {
    /// The field of the challenge (RFC 6901).
    pub pointer: String,
    /// The least figure that suffices; for a list, how many more entries. None where any entry does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
}

/// What one criterion found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub key: String,
    pub verdict: Verdict,
    pub reasons: Vec<Text>,
    /// The figures it rests on.
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// The smallest change that would turn the verdict to met; none when it is.
    pub to_change: Option<Text>,
    /// The same, field by field; all of them together turn the verdict. Empty where no field does, and in assessments
    /// that were made before there were any.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// The verdict per criterion, at one moment, under one version of a criteria set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    pub criteria_set: String,
    pub version: i32,
    pub outcome: Verdict,
    pub criteria: Vec<Outcome>,
    pub hours_per_year: Option<f64>,
    pub full_time_equivalents: Option<f64>,
    pub assessed_at: Instant,
}

/// An assessment in the reader's language.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Assessment)]
pub struct AssessmentView {
    #[schema(example = "welfare-technology")]
    criteria_set: String,
    version: i32,
    /// `met` when every criterion is, `not_met` when one is not, `unclear` otherwise.
    outcome: Verdict,
    criteria: Vec<OutcomeView>,
    /// Hours freed a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours_per_year: Option<f64>,
    /// The same in årsværk.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_time_equivalents: Option<f64>,
    assessed_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CriterionOutcome)]
struct OutcomeView {
    #[schema(example = "time_savings")]
    key: String,
    verdict: Verdict,
    reasons: Vec<String>,
    /// The figures it rests on.
    #[schema(value_type = Object)]
    facts: serde_json::Map<String, serde_json::Value>,
    /// The smallest change that would turn the verdict to met.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_change: Option<String>,
    /// The same for programs: the fields to state, all of them.
    changes: Vec<Change>,
}

impl Assessment {
    /// The verdict of each criterion by its key, in short.
    #[must_use]
    pub fn verdicts(&self) -> BTreeMap<&str, Verdict> {
        self.criteria.iter().map(|outcome| (outcome.key.as_str(), outcome.verdict)).collect()
    }

    /// In the reader's language.
    #[must_use]
    pub fn view(self, language: Language) -> AssessmentView {
        let words = |text: Text| text.into_words(language);
        let outcome = |outcome: Outcome| OutcomeView {
            key: outcome.key,
            verdict: outcome.verdict,
            reasons: outcome.reasons.into_iter().map(words).collect(),
            facts: outcome.facts,
            to_change: outcome.to_change.map(words),
            changes: outcome.changes,
        };
        AssessmentView {
            criteria_set: self.criteria_set,
            version: self.version,
            outcome: self.outcome,
            criteria: self.criteria.into_iter().map(outcome).collect(),
            hours_per_year: self.hours_per_year,
            full_time_equivalents: self.full_time_equivalents,
            assessed_at: self.assessed_at,
        }
    }
}

/// An invitation for challenges on a theme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Kender du en velfærdsudfordring?", "theme": "velfærdsteknologi",
    "description": "Vi søger udfordringer, der frigiver tid på ældreområdet.", "criteria_set": "welfare-technology", "opens_at": "2026-11-01T08:00:00Z"}))]
pub struct CallBody {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    pub theme: String,
    /// 1 to 6,000 characters.
    #[schema(min_length = 1, max_length = 6000)]
    pub description: String,
    /// The key of the criteria set that its challenges are checked against.
    pub criteria_set: String,
    pub opens_at: DateTime<Utc>,
    /// Open-ended when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<DateTime<Utc>>,
}

impl Fitting for CallBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/title", &mut self.title, 1, 200);
        flaws.line("/theme", &mut self.theme, 1, 80);
        flaws.prose("/description", &mut self.description, 1, 6000);
        flaws.line("/criteria_set", &mut self.criteria_set, 1, 60);
        flaws.date("/opens_at", Some(self.opens_at.date_naive()));
        flaws.date("/closes_at", self.closes_at.map(|at| at.date_naive()));
        if self.closes_at.is_some_and(|closes_at| closes_at <= self.opens_at) {
            let words = text!("Den skal lukke, efter at den åbner", "It must close after it opens");
            flaws.add("/closes_at", "before_opens_at", words);
        }
    }
}

/// A call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Call {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Call>,
    #[serde(flatten)]
    pub body: CallBody,
    pub created_at: DateTime<Utc>,
}

impl Call {
    /// Whether challenges can be submitted to it.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.body.opens_at <= now && self.body.closes_at.is_none_or(|closes_at| now < closes_at)
    }
}
