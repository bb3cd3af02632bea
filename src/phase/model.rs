//! Phases, checklists, and how far a track has come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fitting, Flaws, Id, Instant, Language, Text, text};
use crate::process::Process;

/// One of the five phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OpiPhase)]
pub enum Phase {
    Idea,
    Startup,
    Innovation,
    MarketMaturation,
    Implementation,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::Idea, Self::Startup, Self::Innovation, Self::MarketMaturation, Self::Implementation];

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Idea => "idea",
            Self::Startup => "startup",
            Self::Innovation => "innovation",
            Self::MarketMaturation => "market_maturation",
            Self::Implementation => "implementation",
        }
    }

    /// The phase of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }

    /// What it is called.
    #[must_use]
    pub fn title(self) -> Text {
        match self {
            Self::Idea => text!("Idé", "Idea"),
            Self::Startup => text!("Opstart", "Start-up"),
            Self::Innovation => text!("Innovation", "Innovation"),
            Self::MarketMaturation => text!("Markedsmodning", "Market maturation"),
            Self::Implementation => text!("Implementering", "Implementation"),
        }
    }

    /// What it is for.
    #[must_use]
    pub fn purpose(self) -> Text {
        match self {
            Self::Idea => text!(
                "Forstå udfordringen, og vælg den idé, der er mest værd for borgere, personale og virksomhed",
                "Understand the challenge, and choose the idea that is worth most to citizens, staff and company"
            ),
            Self::Startup => text!(
                "Sæt holdet, og aftal mål, roller, penge og rettigheder på skrift",
                "Put the team together, and agree on aims, roles, money and rights in writing"
            ),
            Self::Innovation => text!(
                "Udvikl i runder fra koncept til prototype, sammen med dem der skal bruge løsningen",
                "Develop in rounds from concept to prototype, with those who are to use the solution"
            ),
            Self::MarketMaturation => text!(
                "Gør løsningen færdig til salg og udbud, med dokumentation for hvad den giver",
                "Make the solution ready for sale and tender, with proof of what it brings"
            ),
            Self::Implementation => text!(
                "Tag løsningen i brug, så arbejdet bliver gjort på en ny måde",
                "Take the solution into use, so that the work is done in a new way"
            ),
        }
    }

    fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase > self)
    }
}

/// Whose item it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OpiActor)]
pub enum Actor {
    PublicBody,
    Company,
    KnowledgeInstitution,
}

impl Actor {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PublicBody => "public_body",
            Self::Company => "company",
            Self::KnowledgeInstitution => "knowledge_institution",
        }
    }
}

/// One item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChecklistItem)]
pub struct Item {
    /// What marks refer to, also in later versions; small letters, digits and `_`, 1 to 60.
    #[schema(min_length = 1, max_length = 60)]
    pub key: String,
    pub phase: Phase,
    pub actor: Actor,
    /// In Danish; 1 to 400 characters.
    #[schema(min_length = 1, max_length = 400)]
    pub text_da: String,
    /// In English; 1 to 400 characters.
    #[schema(min_length = 1, max_length = 400)]
    pub text_en: String,
}

impl Item {
    /// The words in the reader's language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Da => &self.text_da,
            Language::En => &self.text_en,
        }
    }
}

/// What is told of a version of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChecklistBody, example = json!({"items": [{"key": "needs_known", "phase": "idea", "actor": "public_body",
    "text_da": "Behovet er undersøgt hos dem, der har det", "text_en": "The need is studied with those who have it"}]}))]
pub struct ChecklistBody {
    /// 1 to 200 items, each key once, in the order in which they are shown.
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<Item>,
}

impl Fitting for ChecklistBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.count("/items", &self.items, 1, 200);
        let mut keys = std::collections::HashSet::new();
        for (index, item) in self.items.iter_mut().enumerate() {
            let at = |field: &str| format!("/items/{index}/{field}");
            flaws.line(&at("key"), &mut item.key, 1, 60);
            if !item.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
                flaws.add(&at("key"), "not_a_key", text!("Små bogstaver, cifre og _", "Small letters, digits and _"));
            }
            if !keys.insert(item.key.clone()) {
                flaws.add(&at("key"), "twice", text!("Nøglen er brugt før", "The key was used before"));
            }
            flaws.line(&at("text_da"), &mut item.text_da, 1, 400);
            flaws.line(&at("text_en"), &mut item.text_en, 1, 400);
        }
    }
}

/// One version of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Checklist {
    /// 1 is built in.
    pub version: i32,
    #[serde(flatten)]
    pub body: ChecklistBody,
}

/// Version 1.
///
/// # Errors
/// When the built-in file is no checklist.
pub fn built_in() -> Result<Checklist, serde_json::Error> {
    Ok(Checklist { version: 1, body: serde_json::from_str(include_str!("opi.json"))? })
}

/// How it stands with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MarkState {
    Open,
    Done,
    /// Left out on purpose; says why.
    Waived,
}

impl MarkState {
    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Waived => "waived",
        }
    }

    /// The state of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Done, Self::Waived].into_iter().find(|state| state.word() == word)
    }
}

/// Who said of an item that it is done or waived, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub key: String,
    pub state: MarkState,
    pub by: String,
    pub at: Instant,
    pub reason: Option<String>,
}

/// How far a process has come through the phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub process_id: Id<Process>,
    pub checklist: Checklist,
    pub phase: Phase,
    pub finished_at: Option<Instant>,
    pub marks: Vec<Mark>,
    pub version: i64,
    pub created_at: Instant,
}

/// Why it cannot go that way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongTurn {
    /// There is no such item in this checklist.
    NoSuchItem,
    /// Waiving says why.
    NeedsReason,
    /// These items of the phase are open, and nothing was said of why they may be.
    OpenItems { keys: Vec<String> },
    /// The track has come to its end.
    Finished,
}

impl Track {
    /// How it stands with an item.
    #[must_use]
    pub fn mark(&self, key: &str) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.key == key && mark.state != MarkState::Open)
    }

    /// What is open before the next phase.
    pub fn open(&self, phase: Phase) -> impl Iterator<Item = &Item> {
        self.checklist.body.items.iter().filter(move |item| item.phase == phase && self.mark(&item.key).is_none())
    }

    /// Marks an item as done, waived, or open again.
    ///
    /// # Errors
    /// [`WrongTurn`].
    pub fn set(mut self, mark: Mark) -> Result<Self, WrongTurn> {
        if !self.checklist.body.items.iter().any(|item| item.key == mark.key) {
            return Err(WrongTurn::NoSuchItem);
        }
        if mark.state == MarkState::Waived && mark.reason.is_none() {
            return Err(WrongTurn::NeedsReason);
        }
        self.marks.retain(|known| known.key != mark.key);
        self.marks.push(mark);
        Ok(Self { version: self.version + 1, ..self })
    }

    /// Goes to the next phase, or from the last one to the end.
    ///
    /// # Errors
    /// [`WrongTurn`].
    pub fn advance(self, reason: Option<&str>, now: Instant) -> Result<Self, WrongTurn> {
        if self.finished_at.is_some() {
            return Err(WrongTurn::Finished);
        }
        let keys: Vec<String> = self.open(self.phase).map(|item| item.key.clone()).collect();
        if !keys.is_empty() && reason.is_none() {
            return Err(WrongTurn::OpenItems { keys });
        }
        let version = self.version + 1;
        Ok(match self.phase.next() {
            Some(phase) => Self { phase, version, ..self },
            None => Self { finished_at: Some(now), version, ..self },
        })
    }

    /// Takes another version of the checklist; marks stay with their keys.
    #[must_use]
    pub fn renewed(self, checklist: Checklist) -> Self {
        Self { checklist, version: self.version + 1, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Fit;

    fn now() -> Instant {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn track() -> Track {
        let checklist = built_in().unwrap();
        let process_id = Id::made_at(now());
        Track {
            process_id,
            checklist,
            phase: Phase::Idea,
            finished_at: None,
            marks: vec![],
            version: 1,
            created_at: now(),
        }
    }

    fn mark(key: &str, state: MarkState, reason: Option<&str>) -> Mark {
        Mark { key: key.into(), state, by: "Mette".into(), at: now(), reason: reason.map(str::to_owned) }
    }

    #[test]
    fn the_built_in_checklist_is_fit_and_has_something_for_everybody_in_every_phase() {
        let body = built_in().unwrap().body;
        assert_eq!(Fit::check(body.clone()).unwrap().into_inner(), body);
        for phase in Phase::ALL {
            for actor in [Actor::PublicBody, Actor::Company, Actor::KnowledgeInstitution] {
                assert!(
                    body.items.iter().any(|item| (item.phase, item.actor) == (phase, actor)),
                    "{phase:?} {actor:?}"
                );
            }
        }
    }

    #[test]
    fn a_phase_with_open_items_is_left_only_with_a_reason() {
        let keys: Vec<String> = track().open(Phase::Idea).map(|item| item.key.clone()).collect();
        assert_eq!(track().advance(None, now()), Err(WrongTurn::OpenItems { keys: keys.clone() }));
        assert_eq!(track().advance(Some("haster"), now()).unwrap().phase, Phase::Startup);
        let done = keys.iter().fold(track(), |track, key| track.set(mark(key, MarkState::Done, None)).unwrap());
        let again = done.clone().set(mark(&keys[0], MarkState::Open, None)).unwrap();
        assert!(done.advance(None, now()).is_ok());
        assert_eq!(again.advance(None, now()), Err(WrongTurn::OpenItems { keys: vec![keys[0].clone()] }));
    }

    #[test]
    fn waiving_says_why_and_what_is_unknown_is_not_marked() {
        assert_eq!(track().set(mark("needs_known", MarkState::Waived, None)), Err(WrongTurn::NeedsReason));
        assert_eq!(track().set(mark("nothing", MarkState::Done, None)), Err(WrongTurn::NoSuchItem));
        assert!(track().set(mark("needs_known", MarkState::Waived, Some("kendt"))).is_ok());
    }

    proptest! {
        #[test]
        fn phases_come_in_order_and_end_once(reasons in prop::collection::vec(prop::bool::ANY, 0..12)) {
            let mut track = track();
            for given in reasons {
                let before = track.phase;
                match track.clone().advance(given.then_some("x"), now()) {
                    Ok(next) => {
                        prop_assert!(next.phase >= before && given);
                        track = next;
                    }
                    Err(WrongTurn::Finished) => prop_assert!(track.finished_at.is_some()),
                    Err(_) => prop_assert!(!given),
                }
            }
        }
    }
}
