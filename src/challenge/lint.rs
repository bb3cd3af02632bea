//! A second pair of eyes on a need's wording. It warns and never blocks, but for CPR numbers, which must not be shared.

mod words;

use serde::Serialize;
use utoipa::ToSchema;

use super::Description;
use crate::kernel::privacy::{Trace, find_name, has_cpr, traces, words_of};
use crate::kernel::{Language, Text, fold, text};
use words::{BRANDS, OFTEN, PRODUCTS, SOLVING, SOLVING_FOR_US, TODAY, WE_WANT};

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub pointer: String,
    pub code: &'static str,
    pub text: Text,
}

/// A warning in the reader's language.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Warning)]
pub struct WarningView {
    /// Where (RFC 6901).
    #[schema(example = "/problem")]
    pointer: String,
    #[schema(example = "product_words")]
    code: &'static str,
    #[schema(example = "\"app\" er en løsning; beskriv problemet, den skulle løse")]
    text: String,
}

impl Warning {
    /// In the reader's language.
    #[must_use]
    pub fn view(self, language: Language) -> WarningView {
        WarningView { pointer: self.pointer, code: self.code, text: self.text.into_words(language) }
    }
}

/// Above this readability index a text is hard: newspapers lie at 45, laws at 60.
const HARD: usize = 55;

/// What a reader of this need would ask.
#[must_use]
pub fn warnings(need: &Description) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |pointer: &str, code, text| found.push(Warning { pointer: pointer.to_owned(), code, text });
    let proses = [("/title", &need.title), ("/problem", &need.problem), ("/desired_effect", &need.desired_effect)];
    let folded = proses.map(|(_, prose)| fold(prose));
    let said = folded.each_ref().map(|folded| words(folded));
    for ((pointer, prose), said) in proses.iter().zip(&said) {
        if let Some(word) = said.iter().find(|word| is_one_of(&PRODUCTS, word)) {
            let text = text!(
                "\"{word}\" er en løsning; beskriv problemet, den skulle løse",
                "\"{word}\" is a solution; describe the problem that it should solve"
            );
            warn(pointer, "product_words", text);
        }
        if let Some(word) = brand(prose) {
            let text = text!(
                "\"{word}\" er et produkt eller mærke; skriv, hvad det bruges til",
                "\"{word}\" is a product or brand; say what it is used for"
            );
            warn(pointer, "brand_words", text);
        }
        if let Some(word) = solving_verb(said) {
            let text = text!(
                "\"{word}\" begynder med svaret; begynd med behovet",
                "\"{word}\" begins with the answer; begin with the need"
            );
            warn(pointer, "solution_verbs", text);
        }
        if let Some(lix) = lix(prose).filter(|lix| *lix > HARD) {
            let text = text!(
                "Teksten er svær at læse (LIX {lix}); kortere sætninger hjælper",
                "The text is hard to read (LIX {lix}); shorter sentences help"
            );
            warn(pointer, "hard_to_read", text);
        }
    }
    if need.affected_users.is_empty() {
        let text = text!("Der står ikke, hvem det går ud over", "It does not say whom it troubles");
        warn("/affected_users", "missing_who", text);
    }
    let ([_, folded, _], [_, said, _]) = (&folded, &said);
    let says = |list: &[&str]| says(folded, said, list);
    let counted = need.time_savings.as_ref().is_some_and(|time| time.occasions_per_week.is_some());
    if !counted && !says(&OFTEN) && !need.problem.bytes().any(|b| b.is_ascii_digit()) {
        let text = text!("Der står ikke, hvor ofte det sker", "It does not say how often it happens");
        warn("/problem", "missing_how_often", text);
    }
    if !says(&TODAY) {
        let text = text!("Der står ikke, hvad der sker i dag", "It does not say what happens today");
        warn("/problem", "missing_today", text);
    }
    for (pointer, prose) in written(need) {
        let traces = traces(&prose);
        if traces.contains(&Trace::Cpr) {
            let text = text!(
                "Det ligner et CPR-nummer; fjern det, ellers kan udfordringen ikke indsendes",
                "This looks like a CPR number; remove it, or the challenge cannot be submitted"
            );
            warn(&pointer, Trace::Cpr.word(), text);
        }
        // Whom to call, who stands behind it and who else has it are asked for by name.
        if ["/contacts", "/anchoring", "/scale/known_bodies"].iter().any(|named| pointer.starts_with(named)) {
            continue;
        }
        for trace in traces.into_iter().filter(|trace| *trace != Trace::Cpr) {
            let name = find_name(&prose).unwrap_or_default();
            let text = match trace {
                Trace::Phone => text!(
                    "Det ligner et telefonnummer; brug feltet contacts",
                    "This looks like a phone number; use the field contacts"
                ),
                Trace::Email => text!(
                    "Det ligner en mailadresse; brug feltet contacts",
                    "This looks like an e-mail address; use the field contacts"
                ),
                Trace::Name => text!(
                    "\"{name}\" ligner en persons navn; skriv, hvilken rolle det er",
                    "\"{name}\" looks like a person's name; say which role it is"
                ),
                Trace::Cpr => continue,
            };
            warn(&pointer, trace.word(), text);
        }
    }
    found
}

/// Where the words that others will read hold a CPR number.
#[must_use]
pub fn cpr_places(need: &Description) -> Vec<String> {
    written(need).into_iter().filter(|(_, prose)| has_cpr(prose)).map(|(pointer, _)| pointer).collect()
}

/// Everything that somebody wrote in words, with its place; codes and addresses are none.
fn written(need: &Description) -> Vec<(String, String)> {
    let mut found = words_of(need);
    let coded = ["/cpv/", "/nuts/", "/call_id", "/language"];
    found.retain(|(place, _)| !coded.iter().any(|code| place.starts_with(code)) && !place.ends_with("/email"));
    found
}

fn words(folded: &str) -> Vec<&str> {
    folded.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).collect()
}

/// Whether a text says one of these words, or one of these turns of phrase.
fn says(folded: &str, said: &[&str], list: &[&str]) -> bool {
    list.iter().any(|word| if word.contains(' ') { folded.contains(word) } else { said.contains(word) })
}

/// Whether a word is one of these, in whatever form Danish, Norwegian, Swedish or English gives it, or a compound of one
/// with a hyphen.
fn is_one_of(list: &[&str], word: &str) -> bool {
    const ENDINGS: [&str; 16] =
        ["", "s", "e", "en", "ene", "et", "er", "r", "n", "ne", "erne", "rne", "ten", "ter", "terne", "ens"];
    let is = |part: &str| list.iter().any(|stem| part.strip_prefix(stem).is_some_and(|end| ENDINGS.contains(&end)));
    is(word) || (word.contains('-') && word.split('-').any(is))
}

/// A brand, written as a name: teams are no Teams.
fn brand(prose: &str) -> Option<&str> {
    let mut words = prose.split(|c: char| !c.is_alphanumeric());
    words.find(|word| word.chars().any(char::is_uppercase) && BRANDS.contains(&fold(word).as_str()))
}

/// A verb that begins with the answer; an everyday one only where it says what we want to do.
fn solving_verb<'a>(said: &[&'a str]) -> Option<&'a str> {
    said.iter().enumerate().find_map(|(index, word)| {
        let for_us = || said.iter().take(index).rev().take(3).any(|before| WE_WANT.contains(before));
        let solves = SOLVING.contains(word) || (SOLVING_FOR_US.contains(word) && for_us());
        solves.then_some(*word)
    })
}

/// Läsbarhetsindex (Björnsson, 1968): words a sentence plus the share of words longer than six letters, in percent.
/// `None` for texts too short to say. Lines of a list are sentences too.
fn lix(text: &str) -> Option<usize> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let sentences = text.split(['.', '!', '?', ':', '\n']).filter(|s| s.chars().any(char::is_alphabetic)).count();
    let long = words.iter().filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 6).count();
    if words.len() < 20 || sentences == 0 { None } else { Some(words.len() / sentences + long * 100 / words.len()) }
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
        assert_eq!(codes("Borgerne må selv købe en ny pose hver dag, og mange kan ikke gå."), Vec::<&str>::new());
    }

    #[test]
    fn products_brands_and_solutions_are_pointed_out_in_their_forms() {
        assert_eq!(codes("Vi har brug for en app og vil anskaffe den hver dag."), ["product_words", "solution_verbs"]);
        for word in ["robotten", "sensorer", "GPS-tracker", "kameraet", "platformene", "chatbots"] {
            assert_eq!(codes(&format!("Vi har en {word} hver dag.")), ["product_words"], "{word}");
        }
        assert_eq!(codes("Vi bruger Teams hver dag."), ["brand_words"]);
        assert_eq!(codes("Vores teams mødes i en aula hver dag, og det er svært."), Vec::<&str>::new());
        assert_eq!(codes("Vi har for få senge hvert år og vil gerne købe flere."), ["solution_verbs"]);
        assert_eq!(codes("Apparatet er slidt hver dag."), Vec::<&str>::new(), "no word is a part of another");
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        assert_eq!(codes("Beboerne vågnede."), ["missing_how_often", "missing_today"]);
        let nobody = Description { affected_users: String::new(), ..need("Vi venter hver dag, og det er svært.") };
        assert_eq!(warnings(&nobody).first().map(|warning| warning.code), Some("missing_who"));
    }

    #[test]
    fn a_text_that_is_hard_to_read_is_measured() {
        let hard = "Sundhedsfaglige dokumentationsforpligtelser nødvendiggør uforholdsmæssigt tidskrævende \
                    registreringsarbejde hver dag i forvaltningens omsorgssystemer blandt medarbejdergrupperne \
                    herunder koordinerende sygeplejersker distriktsansvarlige og administrative funktioner er nu";
        assert_eq!(codes(hard), ["hard_to_read"]);
    }

    #[test]
    fn personal_data_is_pointed_out_where_it_is_and_not_where_it_is_asked_for() {
        let told: Description = serde_json::from_value(serde_json::json!({
            "title": "Natlige tilsyn", "problem": "Ring hver dag til 61 81 27 76 eller mette@odense.example, som er åben.",
            "affected_users": "beboere som Mette Holm", "already_solved_check": {"searched": true, "note": "010190-1234"},
            "contacts": [{"name": "Mette Holm", "email": "mette@odense.example", "department": "innovation"}],
            "anchoring": {"political": {"name": "Ib Hansen", "title": "Rådmand", "date": "2026-10-01"}},
            "scale": {"known_bodies": ["Anders Jensens Fond"]},
        }))
        .unwrap();
        let found: Vec<_> = warnings(&told).into_iter().map(|w| (w.pointer, w.code)).collect();
        let pair = |pointer: &str, code| (pointer.to_owned(), code);
        assert_eq!(
            found,
            [
                pair("/problem", "phone_number"),
                pair("/problem", "email_address"),
                pair("/affected_users", "personal_name"),
                pair("/already_solved_check/note", "cpr_number"),
            ]
        );
        assert_eq!(cpr_places(&told), ["/already_solved_check/note"]);
    }
}
