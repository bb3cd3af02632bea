//! Words for people: Danish first, English beside it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The languages the service speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Danish.
    #[default]
    Da,
    /// English.
    En,
}

impl Language {
    /// The language tag, as in `Accept-Language` and `Content-Language`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Da => "da",
            Self::En => "en",
        }
    }

    /// Reads the tag as it is stored.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "da" => Some(Self::Da),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The better of the two by an `Accept-Language` header (RFC 9110 § 12.5.4); Danish when it says nothing of either.
    #[must_use]
    pub fn negotiate(header: &str) -> Self {
        let quality = |wanted: &[&str]| {
            header
                .split(',')
                .filter_map(|range| {
                    let mut parts = range.split(';');
                    let tag = parts.next()?.trim().to_ascii_lowercase();
                    let primary = tag.split('-').next().unwrap_or_default();
                    let quality =
                        parts.find_map(|p| p.trim().strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
                    wanted.contains(&primary).then_some(quality)
                })
                .fold(0.0_f32, f32::max)
        };
        // Norwegian and Swedish readers are better served by Danish than by nothing.
        if quality(&["en"]) > quality(&["da", "nb", "no", "nn", "sv"]) { Self::En } else { Self::Da }
    }
}

/// One message in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub da: String,
    pub en: String,
}

impl Text {
    /// The words in the reader's language.
    #[must_use]
    pub fn to(&self, language: Language) -> &str {
        match language {
            Language::Da => &self.da,
            Language::En => &self.en,
        }
    }

    /// The same, for whoever needs the other language no longer.
    #[must_use]
    pub fn into_words(self, language: Language) -> String {
        match language {
            Language::Da => self.da,
            Language::En => self.en,
        }
    }
}

/// Writes one [`Text`] from a Danish and an English format string: `text!("{n} dage", "{n} days")`.
macro_rules! text {
    ($da:literal, $en:literal $(,)?) => {
        $crate::kernel::Text { da: format!($da), en: format!($en) }
    };
}
pub(crate) use text;

/// Folds a text for comparing and searching: small letters, accents dropped, æ ø å kept apart.
#[must_use]
pub fn fold(text: &str) -> String {
    // What Danish and English are written with has no accents to drop, and needs no tables.
    let plain = |c: char| c.is_ascii() || matches!(c, 'æ' | 'ø' | 'å' | 'Æ' | 'Ø' | 'Å');
    if text.chars().all(plain) { text.to_lowercase() } else { fold_any(text) }
}

fn fold_any(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::is_combining_mark;
    text.nfc()
        .flat_map(char::to_lowercase)
        .flat_map(|c| match c {
            'å' | 'ä' | 'ö' => [Some(c), None],
            _ => {
                let mut first = [None, None];
                for (slot, part) in first.iter_mut().zip(std::iter::once(c).nfd().filter(|p| !is_combining_mark(*p))) {
                    *slot = Some(part);
                }
                first
            }
        })
        .flatten()
        .collect()
}

/// A number as each language writes it, with its thousands apart: `1.600,5` and `1,600.5`.
#[must_use]
pub fn figure(number: impl std::fmt::Display) -> Text {
    let number = number.to_string();
    let (whole, fraction) = number.split_once('.').unwrap_or((number.as_str(), ""));
    let digits = whole.chars().count();
    let write = |thousands: char, decimals: char| {
        let mut written = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (digits - place).is_multiple_of(3) {
                written.push(thousands);
            }
            written.push(digit);
        }
        if !fraction.is_empty() {
            written.push(decimals);
            written.push_str(fraction);
        }
        written
    };
    Text { da: write('.', ','), en: write(',', '.') }
}

/// So many hours in words, one of them in the singular: `1 time`, `21.840 timer`.
#[must_use]
pub fn hours_text(hours: impl std::fmt::Display) -> Text {
    let Text { da, en } = figure(hours);
    if da == "1" { text!("{da} time", "{en} hour") } else { text!("{da} timer", "{en} hours") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn danish_is_spoken_unless_english_is_wanted_more() {
        assert_eq!(Language::negotiate(""), Language::Da);
        assert_eq!(Language::negotiate("*"), Language::Da);
        assert_eq!(Language::negotiate("en-GB,en;q=0.9"), Language::En);
        assert_eq!(Language::negotiate("da, en;q=0.8"), Language::Da);
        assert_eq!(Language::negotiate("en;q=0.3, nb;q=0.4"), Language::Da);
        assert_eq!(Language::negotiate("en;q=x"), Language::Da);
    }

    #[test]
    fn hours_are_written_as_each_language_writes_them() {
        let written = |hours: f64| {
            let Text { da, en } = hours_text(hours);
            [da, en]
        };
        assert_eq!(written(1.0), ["1 time", "1 hour"]);
        assert_eq!(written(0.0), ["0 timer", "0 hours"]);
        assert_eq!(written(1.5), ["1,5 timer", "1.5 hours"]);
        assert_eq!(written(21_840.0), ["21.840 timer", "21,840 hours"]);
    }

    #[test]
    fn folding_forgets_case_and_accents_but_not_danish_letters() {
        assert_eq!(fold("Ældrepleje ØST Århus café"), "ældrepleje øst århus cafe");
        assert_eq!(fold("A\u{30a}rhus"), "århus");
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_of_folding_leads_where_the_long_one_does(text in "[ -~æøåÆØÅ]{0,60}") {
            proptest::prop_assert_eq!(fold(&text), fold_any(&text));
        }

        #[test]
        fn no_header_breaks_the_choice_of_language_and_folding_twice_changes_nothing(header in ".{0,80}", ranges in "[a-z*]{0,3}(;q=[0-9.e-]{0,6})?(,[a-z]{2};q=[0-9.]{0,4}){0,4}") {
            let _ = (Language::negotiate(&header), Language::negotiate(&ranges));
            let folded = fold(&header);
            proptest::prop_assert_eq!(fold(&folded), folded.clone());
            proptest::prop_assert!(folded.len() <= 4 * header.len());
        }
    }
}
