//! What a subscriber wants to hear about, and when a notice is that.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reason, Why};
use crate::dialogue::Dialogue;
use crate::kernel::{Cpv, Flaws, Id, Nuts, Text, fold, text};
use crate::matching::concern::{Concern, Shared};
use crate::process::Process;

/// What a subscriber wants to hear about.
///
/// *What* is any of: a CPV code (with all below it), a theme, a process, a dialogue, or words; one of them is enough, for CPV codes
/// are often wrong. *Where* narrows it: a place (with all within it). An empty filter matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriptionFilter, example = json!({"cpv": ["33000000"], "nuts": ["DK03"], "themes": ["velfærdsteknologi"], "process_ids": [], "text": "fald, natligt tilsyn"}))]
pub struct Filter {
    /// CPV codes; each stands for itself and all below it.
    #[serde(default)]
    pub cpv: Vec<String>,
    /// Places (NUTS); each stands for itself and all within it.
    #[serde(default)]
    pub nuts: Vec<String>,
    #[serde(default)]
    pub themes: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub process_ids: Vec<Id<Process>>,
    /// Market dialogues to follow: their changes, their answered questions, their end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub dialogue_ids: Vec<Id<Dialogue>>,
    /// What is offered or looked out for, in words: a notice in which all of them occur (commas separate
    /// alternatives), or one that is about the same in other words. At most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a filter looks at: a notice, prepared once for many filters.
#[derive(Clone, Debug)]
pub struct Notice {
    pub cpv: Vec<Cpv>,
    pub nuts: Vec<Nuts>,
    /// As written, and folded.
    pub themes: Vec<(String, String)>,
    pub process_id: Id<Process>,
    pub process_title: String,
    /// None for what is no dialogue.
    pub dialogue_id: Option<Id<Dialogue>>,
    /// The title of the notice.
    pub title: String,
    /// The words of title, description and themes: see [`words_of`].
    pub words: Vec<String>,
    /// Whom the text concerns in meaning; none where only its words are looked at.
    pub concern: Option<Arc<Concern>>,
}

/// What processes and dialogues are called, by their ids.
pub type Names = HashMap<String, String>;

impl Filter {
    /// Trims and normalises, and records what is wrong.
    pub fn fit_at(&mut self, pointer: &str, flaws: &mut Flaws) {
        flaws.cpv_codes(&format!("{pointer}/cpv"), &mut self.cpv);
        flaws.nuts_codes(&format!("{pointer}/nuts"), &mut self.nuts);
        flaws.names(&format!("{pointer}/themes"), &mut self.themes, 50, 100);
        flaws.count(&format!("{pointer}/process_ids"), &self.process_ids, 0, 50);
        flaws.count(&format!("{pointer}/dialogue_ids"), &self.dialogue_ids, 0, 50);
        if let Some(text) = &mut self.text {
            flaws.line(&format!("{pointer}/text"), text, 0, 500);
        }
        // Words without a letter or digit ask for nothing.
        if self.text.as_deref().is_some_and(|text| alternatives(text).next().is_none()) {
            self.text = None;
        }
    }

    /// Whether it asks for nothing in particular.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nuts.is_empty() && !self.says_what()
    }

    fn says_what(&self) -> bool {
        let codes = !(self.cpv.is_empty() && self.themes.is_empty());
        codes || !(self.process_ids.is_empty() && self.dialogue_ids.is_empty()) || self.text.is_some()
    }

    /// Why the notice is wanted; none when it is not.
    #[must_use]
    pub fn matches(&self, notice: &Notice) -> Option<Why> {
        if self.is_empty() {
            return Some(Why(vec![Reason::Everything]));
        }
        let mut reasons = Vec::new();
        if self.says_what() {
            reasons.extend(self.by_cpv(notice));
            reasons.extend(self.by_theme(notice));
            reasons.extend(self.by_process(notice));
            reasons.extend(self.by_dialogue(notice));
            reasons.extend(self.by_text(notice).or_else(|| self.by_meaning(notice)));
            if reasons.is_empty() {
                return None;
            }
        }
        if !self.nuts.is_empty() {
            reasons.push(self.by_place(notice)?);
        }
        Some(Why(reasons))
    }

    fn by_cpv(&self, notice: &Notice) -> Option<Reason> {
        self.cpv.iter().find_map(|written| {
            let wanted = Cpv::parse(written)?;
            let found = notice.cpv.iter().find(|found| wanted.covers(found))?;
            Some(Reason::Cpv { wanted: wanted.to_string(), found: found.to_string() })
        })
    }

    fn by_place(&self, notice: &Notice) -> Option<Reason> {
        if notice.nuts.is_empty() && self.says_what() {
            return Some(Reason::PlaceNotStated);
        }
        self.nuts.iter().find_map(|written| {
            let wanted = Nuts::parse(written)?;
            let found = notice.nuts.iter().find(|found| wanted.covers(found))?;
            Some(Reason::Nuts { wanted: wanted.to_string(), found: found.to_string() })
        })
    }

    fn by_theme(&self, notice: &Notice) -> Option<Reason> {
        self.themes.iter().find_map(|wanted| {
            let wanted = fold(wanted);
            let (theme, _) = notice.themes.iter().find(|(_, folded)| *folded == wanted)?;
            Some(Reason::Theme { theme: theme.clone() })
        })
    }

    fn by_process(&self, notice: &Notice) -> Option<Reason> {
        let wanted = self.process_ids.contains(&notice.process_id);
        wanted.then(|| Reason::Process { title: notice.process_title.clone() })
    }

    /// Whether the notice's own dialogue is followed: then its end is news as well.
    #[must_use]
    pub fn by_dialogue(&self, notice: &Notice) -> Option<Reason> {
        let wanted = notice.dialogue_id.is_some_and(|id| self.dialogue_ids.contains(&id));
        wanted.then(|| Reason::Dialogue { title: notice.title.clone() })
    }

    fn by_text(&self, notice: &Notice) -> Option<Reason> {
        alternatives(self.text.as_deref()?).find_map(|(written, wanted)| {
            let all = wanted.iter().all(|wanted| notice.words.iter().any(|word| stands_for(word, wanted)));
            all.then_some(Reason::Text { words: written })
        })
    }

    fn by_meaning(&self, notice: &Notice) -> Option<Reason> {
        let text = self.text.as_deref()?;
        let Shared { danish, english } = notice.concern.as_ref()?.with(text)?;
        Some(Reason::Meaning { wanted: text.to_owned(), danish, english })
    }

    /// In words, one line for each kind of wish; processes and dialogues by these names.
    #[must_use]
    pub fn words(&self, names: &Names) -> Vec<Text> {
        let named = |ids: Vec<String>| {
            let name = |id: &String| names.get(id).map_or(id.clone(), |name| format!("»{name}«"));
            ids.iter().map(name).collect::<Vec<_>>()
        };
        if self.is_empty() {
            return vec![text!("Alle markedsdialoger", "All market dialogues")];
        }
        let mut lines = Vec::new();
        let mut line = |da: &str, en: &str, items: &[String]| {
            if !items.is_empty() {
                let items = items.join(", ");
                lines.push(text!("{da}: {items}", "{en}: {items}"));
            }
        };
        line("CPV-koder", "CPV codes", &self.cpv);
        line("Steder", "Places", &self.nuts);
        line("Temaer", "Themes", &self.themes);
        line(
            "Skaleringsprocesser",
            "Scaling processes",
            &named(self.process_ids.iter().map(ToString::to_string).collect()),
        );
        line(
            "Markedsdialoger",
            "Market dialogues",
            &named(self.dialogue_ids.iter().map(ToString::to_string).collect()),
        );
        line("Ord", "Words", &self.text.iter().cloned().collect::<Vec<_>>());
        lines
    }
}

/// The alternatives of a wish in words: as written, and its words folded.
fn alternatives(text: &str) -> impl Iterator<Item = (String, Vec<String>)> {
    text.split([',', ';', '\n'])
        .map(|part| (part.trim().to_owned(), words_of(part)))
        .filter(|(_, words)| !words.is_empty())
}

/// The words of a text, folded, each once, in order of the alphabet.
#[must_use]
pub fn words_of(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words: Vec<String> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// From this length on a word may be a part of a compound (`affald` in `restaffaldssortering`), and two words with
/// the same beginning of this length may be forms of one (`natligt`, `natlige`).
const STEM: usize = 5;

/// Whether a word of a notice stands for a wanted one: the same word, another form of it, or a compound with it.
fn stands_for(word: &str, wanted: &str) -> bool {
    let (length, wanted_length) = (word.chars().count(), wanted.chars().count());
    let shared = word.chars().zip(wanted.chars()).take_while(|(one, other)| one == other).count();
    let (ending, wanted_ending) = (length - shared, wanted_length - shared);
    word == wanted
        || (wanted_length >= STEM && word.contains(wanted))
        || (shared >= 3 && wanted_ending == 0 && ending <= 4)
        || (shared >= STEM && ending == 0 && wanted_ending <= 4)
        || (shared >= STEM && ending <= 2 && wanted_ending <= 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Language;
    use crate::matching::lexicon::house;
    use crate::matching::need::Need;

    fn notice(cpv: &[&str], nuts: &[&str], words: &str) -> Notice {
        Notice {
            cpv: cpv.iter().filter_map(|code| Cpv::parse(code)).collect(),
            nuts: nuts.iter().filter_map(|code| Nuts::parse(code)).collect(),
            themes: vec![("Velfærdsteknologi".into(), "velfærdsteknologi".into())],
            process_id: Id::from_bytes([7; 16]),
            process_title: "Ro om natten".into(),
            dialogue_id: Some(Id::from_bytes([5; 16])),
            title: "Natligt tilsyn".into(),
            words: words_of(words),
            concern: None,
        }
    }

    fn filter(json: serde_json::Value) -> Filter {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_kind_of_wish_is_enough_and_the_place_narrows_it() {
        let n = notice(&["33195100"], &["DK031"], "Natligt tilsyn uden at vække beboeren");
        let why = |json| filter(json).matches(&n).map(|why| why.line(Language::En));
        assert_eq!(
            why(serde_json::json!({"cpv": ["33190000"]})).unwrap(),
            "the CPV code 33195100, which lies below 33190000"
        );
        assert!(why(serde_json::json!({"cpv": ["45000000"]})).is_none());
        assert!(
            why(serde_json::json!({"cpv": ["45000000"], "text": "tilsyn"})).is_some(),
            "text counts beside a wrong code"
        );
        assert!(why(serde_json::json!({"themes": ["VELFÆRDSTEKNOLOGI"]})).is_some());
        assert!(why(serde_json::json!({"process_ids": [Id::<Process>::from_bytes([7; 16])]})).is_some());
        assert!(why(serde_json::json!({"process_ids": [Id::<Process>::from_bytes([8; 16])]})).is_none());
        assert!(why(serde_json::json!({"nuts": ["DK03"]})).is_some());
        assert!(why(serde_json::json!({"nuts": ["DK04"]})).is_none());
        assert!(why(serde_json::json!({"cpv": ["33000000"], "nuts": ["DK04"]})).is_none());
        assert!(why(serde_json::json!({"cpv": ["33000000"], "nuts": ["DK"]})).is_some());
    }

    #[test]
    fn words_match_in_other_forms_and_in_compounds_and_not_by_accident() {
        let n = notice(&[], &[], "Emissionsfrie entreprenørmaskiner og restaffaldssortering på plejehjem");
        let found = |text: &str| filter(serde_json::json!({"text": text})).matches(&n).is_some();
        for wanted in [
            "emissionsfri",
            "emissionsfrit",
            "maskiner",
            "affald",
            "plejehjemmet",
            "asfalt, affald",
            "Emissionsfrie MASKINER",
        ] {
            assert!(found(wanted), "{wanted}");
        }
        for other in ["asfalt", "is", "maskiner asfalt", "hjemmepleje"] {
            assert!(!found(other), "{other}");
        }
    }

    #[test]
    fn what_is_about_the_same_in_other_words_matches_and_says_what_it_shares() {
        let text = "Nattevagten går runder hver nat og vækker beboerne på plejehjemmet, selv om alt er i orden.";
        let about = Need { title: "Natligt tilsyn".into(), ..Need::from_text(text, None) };
        let concern = Concern::of(|| house::lexicon().ok(), about);
        let n = Notice { concern: Some(Arc::new(concern)), ..notice(&[], &[], text) };
        let why = |text: &str| filter(serde_json::json!({"text": text})).matches(&n).map(|why| why.line(Language::Da));
        let line = why("Vi laver sensorer, der ser til ældre om natten uden at forstyrre deres søvn på plejecentre");
        assert!(line.as_ref().is_some_and(|line| line.contains("handler om")), "{line:?}");
        assert_eq!(why("Asfalt, vejsalt og maskiner til vintertjeneste på kommunale veje"), None);
    }

    #[test]
    fn a_notice_without_a_place_is_not_kept_from_whoever_wants_its_matter() {
        let n = notice(&["33195100"], &[], "");
        assert!(filter(serde_json::json!({"cpv": ["33000000"], "nuts": ["DK04"]})).matches(&n).is_some());
        assert!(filter(serde_json::json!({"nuts": ["DK04"]})).matches(&n).is_none());
    }

    fn some_filter() -> impl Strategy<Value = Filter> {
        let codes = prop::collection::vec("[1-9][0-9]{7}", 0..3);
        let places = prop::collection::vec("DK0[1-5]?", 0..2);
        (codes, places, prop::option::of("[a-zæøå]{1,12}")).prop_map(|(cpv, nuts, text)| Filter {
            cpv,
            nuts,
            text,
            ..Filter::default()
        })
    }

    proptest! {
        #[test]
        fn a_parent_code_covers_its_descendants(code in "[1-9][0-9]{7}", depth in 2_usize..=8) {
            let parent = format!("{}{}", &code[..depth], "0".repeat(8 - depth));
            let wanted = Filter { cpv: vec![parent], ..Filter::default() };
            prop_assert!(wanted.matches(&notice(&[&code], &[], "")).is_some());
        }

        #[test]
        fn a_place_covers_all_within_it(place in "[A-Z]{2}[0-9A-Z]{0,3}", depth in 2_usize..=5) {
            let around = place.chars().take(depth).collect();
            let wanted = Filter { nuts: vec![around], ..Filter::default() };
            prop_assert!(wanted.matches(&notice(&[], &[&place], "")).is_some());
        }

        #[test]
        fn no_wish_in_words_breaks_the_reader_and_its_words_are_read_again_alike(text in ".{0,80}", parts in "[a-zæ,;\n -]{0,60}") {
            for text in [text, parts] {
                let words = words_of(&text);
                prop_assert_eq!(words_of(&words.join(" ")), words.clone());
                prop_assert!(words.windows(2).all(|two| two[0] < two[1]));
                prop_assert!(alternatives(&text).all(|(written, words)| !words.is_empty() && text.contains(&written)));
                let mut wanted = Filter { text: Some(text.clone()), cpv: vec![text.clone()], nuts: vec![text], ..Filter::default() };
                wanted.fit_at("", &mut Flaws::default());
                let _ = wanted.matches(&notice(&["33195100"], &["DK01"], "tilsyn"));
            }
        }

        #[test]
        fn an_empty_filter_matches_everything_and_says_so(code in "[1-9][0-9]{7}", words in ".{0,40}") {
            let why = Filter::default().matches(&notice(&[&code], &[], &words));
            prop_assert_eq!(why, Some(Why(vec![Reason::Everything])));
        }

        #[test]
        fn one_more_wish_never_loses_a_match(mut wanted in some_filter(), more in "[1-9][0-9]{7}", words in "[a-zæøå ]{0,60}") {
            let n = notice(&["33195100"], &["DK01"], &words);
            let before = wanted.matches(&n).is_some();
            let said_what = wanted.says_what();
            wanted.cpv.push(more);
            prop_assert!(!before || !said_what || wanted.matches(&n).is_some());
        }

        #[test]
        fn a_match_always_gives_a_reason(wanted in some_filter(), words in "[a-zæøå ]{0,60}") {
            if let Some(why) = wanted.matches(&notice(&["33195100"], &["DK01"], &words)) {
                prop_assert!(!why.0.is_empty());
            }
        }
    }
}
