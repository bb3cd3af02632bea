//! What in somebody's words points to a person. Found by its form alone, and rather too little than too much: a warning
//! that is mostly wrong is not read. What must never be published is refused, the rest is pointed out.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Language, Text, text};

/// What points to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// A CPR number; it is never published.
    Cpr,
    Phone,
    Email,
    /// A form of address before a name, or a given name before a surname.
    Name,
}

impl Trace {
    /// The word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpr => "cpr_number",
            Self::Phone => "phone_number",
            Self::Email => "email_address",
            Self::Name => "personal_name",
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::Cpr => text!("Det ligner et CPR-nummer; fjern det", "This looks like a CPR number; remove it"),
            Self::Phone => text!("Det ligner et telefonnummer", "This looks like a phone number"),
            Self::Email => text!("Det ligner en mailadresse", "This looks like an e-mail address"),
            Self::Name => text!("Det ligner en persons navn", "This looks like a person's name"),
        }
    }
}

/// Something in open words that points to a person, as whoever wrote them is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonalDataWarning)]
pub struct Warning {
    /// phone_number, email_address or personal_name.
    #[schema(example = "phone_number")]
    code: &'static str,
    text: String,
}

impl Warning {
    /// For each trace.
    #[must_use]
    pub fn all(traces: Vec<Trace>, language: Language) -> Vec<Self> {
        let warning = |trace: Trace| Self { code: trace.word(), text: trace.words().to(language).to_owned() };
        traces.into_iter().map(warning).collect()
    }
}

/// All that in this text points to a person, each kind once.
#[must_use]
pub fn traces(text: &str) -> Vec<Trace> {
    let found = [
        (Trace::Cpr, has_cpr(text)),
        (Trace::Phone, has_phone(text)),
        (Trace::Email, has_email(text)),
        (Trace::Name, find_name(text).is_some()),
    ];
    found.into_iter().filter(|(_, found)| *found).map(|(trace, _)| trace).collect()
}

/// Every text in a thing, with its place (RFC 6901).
#[must_use]
pub fn words_of(thing: &impl Serialize) -> Vec<(String, String)> {
    fn collect(value: Value, place: String, found: &mut Vec<(String, String)>) {
        match value {
            Value::String(words) => found.push((place, words)),
            Value::Array(items) => {
                items
                    .into_iter()
                    .enumerate()
                    .for_each(|(index, item)| collect(item, format!("{place}/{index}"), found));
            }
            Value::Object(fields) => {
                fields.into_iter().for_each(|(name, field)| collect(field, format!("{place}/{name}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(serde_json::to_value(thing).unwrap_or_default(), String::new(), &mut found);
    found
}

/// Digits that stand together, in the groups they are written in, and what stands around them.
#[derive(Debug, Default)]
struct Number {
    groups: Vec<String>,
    /// What parts the groups: each at most three of space, hyphen, dash, dot or slash.
    gaps: Vec<String>,
    /// The word before, in small letters, without its punctuation.
    before: String,
    /// The letter or sign right behind, and the word after it.
    behind: Option<char>,
    after: String,
}

impl Number {
    fn lengths(&self) -> Vec<usize> {
        self.groups.iter().map(String::len).collect()
    }

    fn digits(&self) -> String {
        self.groups.concat()
    }

    fn is_parted_by(&self, signs: &str) -> bool {
        self.gaps.iter().all(|gap| gap.chars().all(|c| c.is_whitespace() || signs.contains(c)))
    }
}

fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2010}' | '\u{2011}' | '–' | '.' | '/')
}

/// The numbers of a text. A run of digits that letters run into is none: it is a model or a code.
fn numbers(text: &str) -> Vec<Number> {
    // The shortest that is looked for has eight digits, and most texts have fewer.
    if text.bytes().filter(u8::is_ascii_digit).count() < 8 {
        return Vec::new();
    }
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let Some(start) = (at..letters.len()).find(|i| letters.get(*i).is_some_and(char::is_ascii_digit)) else {
            break;
        };
        let head: String = letters.iter().take(start).skip(start.saturating_sub(40)).collect();
        let mut number = Number { before: word_before(&head), ..Number::default() };
        at = start;
        loop {
            let digits: String = letters.iter().skip(at).take_while(|c| c.is_ascii_digit()).collect();
            at += digits.len();
            number.groups.push(digits);
            let gap: String = letters.iter().skip(at).take_while(|c| is_gap(**c)).take(4).collect();
            let width = gap.chars().count();
            let goes_on = (1..=3).contains(&width) && letters.get(at + width).is_some_and(char::is_ascii_digit);
            if !goes_on {
                break;
            }
            at += width;
            number.gaps.push(gap);
        }
        number.behind = letters.get(at).copied();
        number.after = letters.iter().skip(at + 1).take_while(|c| c.is_alphabetic()).collect();
        let runs_into = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        if !runs_into(head.chars().next_back()) && !runs_into(number.behind) {
            found.push(number);
        }
    }
    found
}

fn word_before(head: &str) -> String {
    let word = head.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '+').to_owned()
}

/// Whether the first six digits are a day, or a day 60 later, as numbers are given to people who have none. Which century
/// is not asked for, and neither is the sum: since 2007 it need not be divisible by 11.
fn is_cpr(digits: &str) -> bool {
    let number = |range| digits.get(range).and_then(|part: &str| part.parse::<u32>().ok()).unwrap_or(0);
    let (day, month, year) = (number(0..2), number(2..4), number(4..6));
    let day = if day > 60 { day - 60 } else { day };
    let year = 2000 + i32::try_from(year).unwrap_or_default();
    digits.len() == 10 && NaiveDate::from_ymd_opt(year, month, day).is_some()
}

/// Ten digits that a CPR number can be, in one piece, with its last four apart, or in pairs.
#[must_use]
pub fn has_cpr(text: &str) -> bool {
    numbers(text).iter().any(|number| {
        let written = matches!(number.lengths().as_slice(), [10] | [6, 4] | [2, 2, 2, 4]);
        written && is_cpr(&number.digits())
    })
}

/// Eight digits as a Dane writes a phone number, perhaps behind the country's code; no dates, years, sums of money or
/// company numbers.
#[must_use]
pub fn has_phone(text: &str) -> bool {
    numbers(text).iter().any(|number| {
        let called =
            matches!(number.before.as_str(), "tlf" | "telefon" | "mobil" | "ring" | "phone" | "nummer" | "+45");
        let (groups, lengths) = (&number.groups, number.lengths());
        let abroad = lengths.len() > 1 && groups.first().is_some_and(|code| code == "45" || code == "0045");
        let own = if abroad { lengths.get(1..).unwrap_or_default() } else { &lengths };
        let digits = number.digits();
        let abroad_digits = digits.trim_start_matches("00");
        let first = if abroad || own == [10] { abroad_digits.get(2..3) } else { digits.get(0..1) };
        let ours = first.is_some_and(|digit| ("2"..="9").contains(&digit));
        let shape = match own {
            [8] => !is_day(&digits) && !is_counted(number),
            // The country's code without a space behind it; no day of a month is the 45th.
            [10] => digits.starts_with("45"),
            [2, 2, 2, 2] => number.is_parted_by("-.–"),
            [4, 4] => number.is_parted_by("-") && !groups.iter().all(|year| is_year(year)),
            [2, 3, 3] | [3, 3, 2] | [2, 6] => (called || abroad) && number.is_parted_by("-"),
            _ => false,
        };
        let company =
            matches!(number.before.as_str(), "cvr" | "cvr-nr" | "cvr-nummer" | "se-nr" | "ean" | "p-nummer" | "dk");
        shape && ours && !company
    })
}

fn is_year(digits: &str) -> bool {
    digits.parse().is_ok_and(|year: u32| (1900..=2100).contains(&year))
}

/// A day without separators: 20261122 or 22112026.
fn is_day(digits: &str) -> bool {
    ["%Y%m%d", "%d%m%Y"]
        .iter()
        .any(|form| NaiveDate::parse_from_str(digits, form).is_ok_and(|day| is_year(&day.format("%Y").to_string())))
}

/// A count of something is followed by a sign of what: kr, %, m².
fn is_counted(number: &Number) -> bool {
    let unit = ["kr", "kroner", "dkk", "euro", "eur", "timer", "ton", "tons", "liter", "kwh", "stk", "mio"];
    matches!(number.behind, Some('%' | '€' | '$' | ','))
        || unit.contains(&number.after.to_lowercase().as_str())
        || matches!(number.before.as_str(), "kr" | "dkk" | "eur" | "ca" | "cirka" | "omkring" | "over" | "næsten")
}

fn has_email(text: &str) -> bool {
    // Most texts have none, and are not taken apart for it.
    text.contains('@')
        && text.split_whitespace().any(|word| {
            word.split_once('@').is_some_and(|(name, host)| {
                name.chars().next_back().is_some_and(char::is_alphanumeric) && host.trim_end_matches('.').contains('.')
            })
        })
}

/// Forms of address: what stands behind one with a capital letter is a name.
const ADDRESSED: [&str; 9] = ["fru", "hr", "hr.", "frk", "frk.", "herr", "mr", "mrs", "ms"];

/// The commonest given names of Denmark in use, by a name each decade and their kin; what is also a common word, a
/// month or a place is left out.
const GIVEN: [&str; 96] = [
    "anders",
    "ane",
    "anna",
    "anne",
    "annette",
    "asger",
    "astrid",
    "bent",
    "birgit",
    "birgitte",
    "birthe",
    "bjarne",
    "camilla",
    "carsten",
    "cecilie",
    "charlotte",
    "christian",
    "christina",
    "claus",
    "dorthe",
    "ebbe",
    "ellen",
    "else",
    "emil",
    "erik",
    "eva",
    "finn",
    "flemming",
    "freja",
    "frederik",
    "gitte",
    "grethe",
    "hanne",
    "hans",
    "heidi",
    "helle",
    "henning",
    "henrik",
    "inge",
    "inger",
    "ingrid",
    "jakob",
    "jan",
    "janne",
    "jens",
    "jesper",
    "jette",
    "johanne",
    "jonas",
    "jørgen",
    "jørn",
    "karen",
    "karin",
    "kasper",
    "katrine",
    "kirsten",
    "knud",
    "kristian",
    "kurt",
    "lars",
    "lene",
    "line",
    "lise",
    "lone",
    "louise",
    "mads",
    "magnus",
    "maja",
    "maria",
    "marianne",
    "mathilde",
    "mette",
    "michael",
    "mikkel",
    "morten",
    "niels",
    "ole",
    "oluf",
    "per",
    "peter",
    "pia",
    "poul",
    "rasmus",
    "sara",
    "signe",
    "simon",
    "sofie",
    "susanne",
    "svend",
    "søren",
    "thomas",
    "tina",
    "tove",
    "ulla",
    "vibeke",
    "yasmin",
];

/// What a name is followed by where it names a street, a house or a body instead.
const PLACES: [&str; 26] = [
    "vej",
    "gade",
    "plads",
    "allé",
    "alle",
    "torv",
    "skole",
    "skolen",
    "kirke",
    "hospital",
    "sygehus",
    "kommune",
    "region",
    "center",
    "centret",
    "plejehjem",
    "plejecenter",
    "park",
    "have",
    "hus",
    "huset",
    "bro",
    "fond",
    "fonden",
    "syndrom",
    "sygdom",
];

/// The first that looks like a person's name: what stands behind a form of address, or a given name and a surname: one
/// on -sen behind any word with a capital letter, or any behind a common given name.
#[must_use]
pub fn find_name(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().enumerate().find_map(|(index, first)| {
        // An initial between the two belongs to the name.
        let is_initial = |word: &&&str| word.chars().count() == 2 && word.ends_with('.') && is_capital(word);
        let mut rest = words.iter().skip(index + 1).filter(|word| !is_initial(word));
        let last = bare(rest.next()?);
        // Names are rare in what people write, and most words are done with here.
        if !is_capital(last) {
            return None;
        }
        let behind = rest.next().map(|word| bare(word).to_lowercase()).unwrap_or_default();
        if ADDRESSED.contains(&first.to_lowercase().as_str()) {
            return Some(format!("{first} {last}"));
        }
        let ending = last.to_lowercase();
        let is_place = PLACES.iter().any(|place| behind == *place || ending.ends_with(place));
        // A sign behind the first word ends the name before it began.
        if is_place || bare(first) != *first || !is_name(first) || !is_name(last) {
            return None;
        }
        let on_sen = last.ends_with("sen") && last.chars().count() >= 6;
        (on_sen || GIVEN.contains(&first.to_lowercase().as_str())).then(|| format!("{first} {last}"))
    })
}

/// A word without the signs around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-')
}

fn is_capital(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// A word as names are written: a capital letter and small ones, perhaps two such with a hyphen.
fn is_name(word: &str) -> bool {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.clone().count() > 0 && letters.all(char::is_lowercase)
    };
    word.split('-').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpr_number_is_found_however_it_is_written() {
        for text in [
            "010190-1234",
            "0101901234",
            "290200 1234",
            "se 311299-4321.",
            "010190 - 1234",
            "010190–1234",
            "01 01 90 1234",
            "01.01.90-1234",
            "(0101901234)",
            "CPR:0101901234",
            "cpr 610190-1234",
            "290204-5000",
            "010130-9999",
        ] {
            assert!(has_cpr(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_or_no_such_number_is_spared() {
        for text in [
            "320190-1234",
            "1234567890",
            "12345678",
            "01019012345",
            "2026-11-22",
            "33 19 20 00",
            "290201-1234",
            "101010.10.10",
            "a0101901234",
            "0101901234b",
            "01/01/90",
            "0101 901 234",
        ] {
            assert!(!has_cpr(text), "{text}");
        }
    }

    #[test]
    fn a_phone_number_is_found_and_years_days_and_sums_are_not() {
        for text in [
            "61 81 27 76",
            "tlf. 61812776",
            "+45 61 81 27 76",
            "+4561812776 eller 61812776",
            "6181 2776",
            "0045 61812776",
            "61-81-27-76",
            "Ring 618 127 76",
        ] {
            assert!(has_phone(text), "{text}");
        }
        for text in [
            "2019-2023",
            "2019 2023",
            "22-11-2026",
            "20261122",
            "CVR 35209115",
            "cvr-nr. 35 20 91 15",
            "15000000 kr",
            "kr. 25000000",
            "12.000.000",
            "160 000 000",
            "5.000.000",
            "4 200 borgere",
            "80-90 %",
            "2026-11-22",
            "1234 5678",
            "24/7",
        ] {
            assert!(!has_phone(text), "{text}");
        }
    }

    #[test]
    fn names_are_found_and_bodies_streets_and_ordinary_words_are_not() {
        for (text, name) in [
            ("Ring til fru Østergård", "fru Østergård"),
            ("Spørg Mette Holm i forvaltningen.", "Mette Holm"),
            ("Vores kollega Anna M. Jensen går runderne", "Anna Jensen"),
            ("af Yusuf Kristensen, og andre", "Yusuf Kristensen"),
            ("Hr. Olsen faldt", "Hr. Olsen"),
            ("Lars-Erik Sørensen", "Lars-Erik Sørensen"),
        ] {
            assert_eq!(find_name(text).as_deref(), Some(name));
        }
        for text in [
            "Odense Kommune og Region Syddanmark",
            "på Peter Bangs Vej",
            "Hans Knudsens Plads",
            "Om natten går vi.",
            "Eva, Ib og Per.",
            "Vi bruger Microsoft Teams",
            "hr. patient sover",
            "Skriv til IT Sen",
            "Karen Blixens Gade",
            "Per Kommune",
            "Sankt Hans Hospital",
        ] {
            assert_eq!(find_name(text), None, "{text}");
        }
    }

    #[test]
    fn each_kind_is_told_once() {
        assert_eq!(traces("Ring til fru Østergård på 61 81 27 76"), [Trace::Phone, Trace::Name]);
        assert_eq!(traces("Skriv til ane@hospital.example."), [Trace::Email]);
        assert_eq!(traces("Vi er 4 @ natten; hr. patient sover 12 timer"), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_search_and_a_cpr_number_is_found_in_any(
            before in "[^0-9]{0,20}", after in "[^0-9]{0,20}", day in 1_u32..=28, month in 1_u32..=12, year in 0_u32..100, number in 0_u32..10_000,
        ) {
            let _ = traces(&format!("{before}{number}{after}"));
            let text = format!("{before} {day:02}{month:02}{year:02}-{number:04} {after}");
            proptest::prop_assert!(has_cpr(&text), "{}", text);
        }
    }
}
