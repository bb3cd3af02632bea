//! Which of the four languages a sentence is written in: told by the writer, or heard from its small words.

use std::sync::LazyLock;

use super::stopwords;
use crate::matching::atom::Table;

/// A language the matching reads. Norwegian is bokmål.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    Danish,
    Norwegian,
    Swedish,
    English,
}

impl Language {
    pub const ALL: [Language; 4] = [Language::Danish, Language::Norwegian, Language::Swedish, Language::English];

    /// Reads a language tag (`da`, `nb-NO`, `no`, `sv`, `en` …); `None` for any other language.
    pub fn from_tag(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
        match primary.as_str() {
            "da" => Some(Language::Danish),
            "nb" | "no" | "nn" => Some(Language::Norwegian),
            "sv" => Some(Language::Swedish),
            "en" => Some(Language::English),
            _ => None,
        }
    }

    fn bit(self) -> u8 {
        match self {
            Language::Danish => 1,
            Language::Norwegian => 2,
            Language::Swedish => 4,
            Language::English => 8,
        }
    }
}

/// Each small word with the languages that have it (bits), and 16 where it is commonplace.
static SMALL_WORDS: LazyLock<Table<&'static str, u8>> = LazyLock::new(|| {
    let mut words = Table::default();
    let lists = [
        (stopwords::DANISH, 1),
        (stopwords::NORWEGIAN, 2),
        (stopwords::SWEDISH, 4),
        (stopwords::ENGLISH, 8),
        (stopwords::COMMONPLACE, 16),
    ];
    for (list, bit) in lists {
        for word in list.split_whitespace() {
            *words.entry(word).or_insert(0) |= bit;
        }
    }
    words
});

/// A word that carries no matter in this language.
pub fn is_small(word: &str, language: Language) -> bool {
    SMALL_WORDS.get(word).is_some_and(|bits| bits & (language.bit() | 16) != 0)
}

/// The language of one plain sentence; `told` wins unless the small words speak clearly for another.
pub fn of_sentence(sentence: &str, told: Option<Language>) -> Language {
    let mut scores = [0_i32; 4];
    let mut add = |language: Language, points: i32| {
        for (score, candidate) in scores.iter_mut().zip(Language::ALL) {
            if candidate == language {
                *score += points;
            }
        }
    };
    for word in super::words(sentence) {
        let bits = SMALL_WORDS.get(word).copied().unwrap_or(0) & 15;
        let points = match bits.count_ones() {
            0 => 0,
            1 => 4,
            2 => 2,
            _ => 1,
        };
        for language in Language::ALL {
            if bits & language.bit() != 0 {
                add(language, points);
            }
        }
        if word.contains(['ä', 'ö']) {
            add(Language::Swedish, 3);
        }
        if word.contains(['æ', 'ø']) {
            add(Language::Danish, 1);
            add(Language::Norwegian, 1);
        }
    }
    add(told.unwrap_or(Language::Danish), if told.is_some() { 9 } else { 1 });
    let mut best = (Language::Danish, i32::MIN);
    for (language, score) in Language::ALL.into_iter().zip(scores) {
        if score > best.1 {
            best = (language, score);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_words_tell_the_language() {
        let cases = [
            ("hvad vi ikke ved er hvornår rørene bliver utætte", Language::Danish),
            ("vi vet ikke hva som skal til og noen ganger blir det mye", Language::Norwegian),
            ("vi vet inte när rören läcker och det är många som väntar", Language::Swedish),
            ("we do not know when the pipes are leaking", Language::English),
        ];
        for (sentence, language) in cases {
            assert_eq!(of_sentence(sentence, None), language, "{sentence}");
        }
    }

    #[test]
    fn a_told_language_holds_for_a_sentence_that_says_nothing() {
        assert_eq!(of_sentence("pumpe", Some(Language::Norwegian)), Language::Norwegian);
    }

    #[test]
    fn a_quotation_in_another_language_is_heard() {
        let quoted = "we do not know which of the doors have been locked";
        assert_eq!(of_sentence(quoted, Some(Language::Danish)), Language::English);
    }

    #[test]
    fn tags_with_a_country_are_read() {
        assert_eq!(Language::from_tag("nb-NO"), Some(Language::Norwegian));
        assert_eq!(Language::from_tag("fi"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_sentence_breaks_the_detection_and_its_order_does_not_matter(sentence in ".{0,80}", words in proptest::collection::vec("(ikke|inte|not|vi|de|og|ø|pumpe)", 0..8)) {
            let _ = of_sentence(&sentence, None);
            let mut turned = words.clone();
            turned.reverse();
            proptest::prop_assert_eq!(of_sentence(&words.join(" "), None), of_sentence(&turned.join(" "), None));
        }

        #[test]
        fn no_tag_breaks_the_reader(tag in ".{0,12}") {
            let _ = Language::from_tag(&tag);
        }
    }
}
