//! A second pair of eyes on a need's wording. It warns and never blocks, but for CPR numbers, which must not be published.

use serde::Serialize;
use utoipa::ToSchema;

use super::Description;
use crate::kernel::{Text, fold, text};

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub pointer: &'static str,
    pub code: &'static str,
    pub text: Text,
}

/// A warning in the reader's language.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Warning)]
pub struct WarningView {
    /// Where (RFC 6901).
    #[schema(example = "/problem")]
    pointer: &'static str,
    #[schema(example = "product_words")]
    code: &'static str,
    #[schema(example = "\"app\" er en løsning; beskriv problemet, den skulle løse")]
    text: String,
}

impl Warning {
    /// In the reader's language.
    #[must_use]
    pub fn view(&self, language: crate::kernel::Language) -> WarningView {
        WarningView { pointer: self.pointer, code: self.code, text: self.text.to(language).to_owned() }
    }
}

/// Words that name a product or a technology instead of a problem.
const PRODUCTS: [&str; 22] = [
    "app",
    "robot",
    "robotter",
    "platform",
    "dashboard",
    "software",
    "licens",
    "licenser",
    "tablet",
    "tablets",
    "ipad",
    "drone",
    "droner",
    "chatbot",
    "sensor",
    "sensorer",
    "kamera",
    "kameraer",
    "it-system",
    "blockchain",
    "portal",
    "gps",
];

/// Verbs that begin with the answer.
const SOLVING: [&str; 10] = [
    "indkøbe",
    "anskaffe",
    "implementere",
    "installere",
    "udrulle",
    "købe",
    "opsætte",
    "digitalisere",
    "automatisere",
    "licensere",
];

/// Words that say how often.
const OFTEN: [&str; 20] = [
    "hver",
    "dagligt",
    "daglige",
    "ugentligt",
    "månedligt",
    "årligt",
    "gange",
    "gang",
    "timer",
    "minutter",
    "ofte",
    "sjældent",
    "om dagen",
    "om ugen",
    "om året",
    "per year",
    "daily",
    "weekly",
    "every",
    "times",
];

/// Words that tell of what happens today.
const TODAY: [&str; 14] =
    ["i dag", "idag", "nu", "bruger", "må", "går", "er", "har", "sker", "tager", "today", "is", "are", "have"];

/// What a reader of this need would ask.
#[must_use]
pub fn warnings(need: &Description) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |pointer, code, text| found.push(Warning { pointer, code, text });
    let problem = words(&need.problem);
    let effect = words(&need.desired_effect);

    for (pointer, list) in [("/title", words(&need.title)), ("/problem", problem.clone()), ("/desired_effect", effect)]
    {
        if let Some(word) = list.iter().find(|word| PRODUCTS.contains(&word.as_str())) {
            let text = text!(
                "\"{word}\" er en løsning; beskriv problemet, den skulle løse",
                "\"{word}\" is a solution; describe the problem that it should solve"
            );
            warn(pointer, "product_words", text);
        }
        if let Some(word) = list.iter().find(|word| SOLVING.contains(&word.as_str())) {
            let text = text!(
                "\"{word}\" begynder med svaret; begynd med behovet",
                "\"{word}\" begins with the answer; begin with the need"
            );
            warn(pointer, "solution_verbs", text);
        }
    }
    if need.affected_users.is_empty() {
        warn(
            "/affected_users",
            "missing_who",
            text!("Der står ikke, hvem det går ud over", "It does not say whom it troubles"),
        );
    }
    let folded = fold(&need.problem);
    let says = |list: &[&str]| {
        list.iter()
            .any(|word| if word.contains(' ') { folded.contains(word) } else { problem.iter().any(|w| w == word) })
    };
    let counted = need.time_savings.as_ref().is_some_and(|time| time.occasions_per_week.is_some());
    if !counted && !says(&OFTEN) && !folded.bytes().any(|b| b.is_ascii_digit()) {
        warn(
            "/problem",
            "missing_how_often",
            text!("Der står ikke, hvor ofte det sker", "It does not say how often it happens"),
        );
    }
    if !says(&TODAY) {
        warn(
            "/problem",
            "missing_today",
            text!("Der står ikke, hvad der sker i dag", "It does not say what happens today"),
        );
    }
    if let Some(lix) = lix(&need.problem).filter(|lix| *lix > 55) {
        let text = text!(
            "Teksten er svær at læse (LIX {lix}); kortere sætninger hjælper",
            "The text is hard to read (LIX {lix}); shorter sentences help"
        );
        warn("/problem", "hard_to_read", text);
    }
    for (pointer, prose) in prose(need) {
        if has_cpr(prose) {
            let text = text!(
                "Det ligner et CPR-nummer; fjern det, ellers kan udfordringen ikke indsendes",
                "This looks like a CPR number; remove it, or the challenge cannot be submitted"
            );
            warn(pointer, "cpr_number", text);
        } else if has_phone(prose) {
            warn(
                pointer,
                "phone_number",
                text!(
                    "Det ligner et telefonnummer; brug feltet contacts",
                    "This looks like a phone number; use the field contacts"
                ),
            );
        }
    }
    found
}

fn prose(need: &Description) -> [(&'static str, &str); 4] {
    [
        ("/title", &need.title),
        ("/problem", &need.problem),
        ("/desired_effect", &need.desired_effect),
        ("/affected_users", &need.affected_users),
    ]
}

/// Whether any of the words that others will read hold a CPR number; the places where they do.
#[must_use]
pub fn cpr_places(need: &Description) -> Vec<&'static str> {
    let mut places: Vec<_> =
        prose(need).into_iter().filter(|(_, prose)| has_cpr(prose)).map(|(pointer, _)| pointer).collect();
    let note = need.time_savings.as_ref().and_then(|time| time.note.as_deref());
    places.extend(note.filter(|note| has_cpr(note)).map(|_| "/time_savings/note"));
    places
}

fn words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric() && c != '-').filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Läsbarhetsindex (Björnsson, 1968): words a sentence plus the share of words longer than six letters, in percent.
/// `None` for texts too short to say.
fn lix(text: &str) -> Option<usize> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let sentences = text.split(['.', '!', '?', ':']).filter(|s| s.chars().any(char::is_alphabetic)).count();
    let long = words.iter().filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 6).count();
    if words.len() < 20 || sentences == 0 { None } else { Some(words.len() / sentences + long * 100 / words.len()) }
}

/// Runs of digits, with single spaces and hyphens inside dropped; where each began with its own separators.
fn digit_runs(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    let mut separators = 0;
    for c in text.chars().chain(['.']) {
        match c {
            _ if c.is_ascii_digit() => {
                run.push(c);
                separators = 0;
            }
            ' ' | '-' | '\u{a0}' if !run.is_empty() && separators == 0 => separators = 1,
            _ => {
                if !run.is_empty() {
                    runs.push(std::mem::take(&mut run));
                }
                separators = 0;
            }
        }
    }
    runs
}

/// Ten digits that begin with a date: how a CPR number looks. The modulus is not asked for: since 2007 it need not hold.
pub(super) fn has_cpr(text: &str) -> bool {
    digit_runs(text).iter().any(|run| {
        let number = |range| run.get(range).and_then(|part: &str| part.parse::<u32>().ok()).unwrap_or(0);
        let (day, month) = (number(0..2), number(2..4));
        let leap_or_not = [2000, 2001].iter().any(|year| chrono::NaiveDate::from_ymd_opt(*year, month, day).is_some());
        run.len() == 10 && leap_or_not
    })
}

/// Eight digits, perhaps behind a country code.
fn has_phone(text: &str) -> bool {
    digit_runs(text).iter().any(|run| run.len() == 8 || (run.len() == 10 && run.starts_with("45")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(problem: &str) -> Description {
        serde_json::from_value(
            serde_json::json!({"title": "Natlige tilsyn", "problem": problem, "affected_users": "beboere"}),
        )
        .unwrap()
    }

    fn codes(problem: &str) -> Vec<&'static str> {
        warnings(&need(problem)).into_iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn a_need_told_as_a_need_draws_no_warning() {
        assert_eq!(codes("Nattevagten går fire runder hver nat, og beboerne vågner."), Vec::<&str>::new());
    }

    #[test]
    fn products_and_solutions_are_pointed_out() {
        assert_eq!(codes("Vi har brug for en app og vil anskaffe den hver dag."), ["product_words", "solution_verbs"]);
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        assert_eq!(codes("Beboerne vågnede."), ["missing_how_often", "missing_today"]);
    }

    #[test]
    fn a_cpr_number_is_found_however_it_is_written_and_a_date_check_spares_other_numbers() {
        for text in ["010190-1234", "0101901234", "290200 1234", "se 311299-4321."] {
            assert!(has_cpr(text), "{text}");
        }
        for text in ["320190-1234", "1234567890", "12345678", "01019012345", "2026-11-22", "33 19 20 00"] {
            assert!(!has_cpr(text), "{text}");
        }
    }

    #[test]
    fn a_phone_number_is_found() {
        assert!(codes("Ring hver dag til 61 81 27 76, som er åben.").contains(&"phone_number"));
    }
}
