//! Written text, as people in public bodies write it: told apart into sentences and words.
//!
//! A text may come from a form, a mail or a web page, in any of four languages and with any
//! accident in it. What leaves this module is plain: no mark-up, one Unicode form, lower case.
//! Every step reads at most [`MOST_CHARS`] characters, so that no text can take long.

pub mod compound;
pub mod language;
pub mod reader;
pub mod spelling;
pub mod stem;
pub mod stopwords;

use unicode_normalization::UnicodeNormalization;

/// How much of one text is read; a challenge's longest field is a sixth of this.
pub const MOST_CHARS: usize = 40_000;
/// Words beyond this length are cut: no word that people write is longer.
pub const LONGEST_WORD: usize = 48;

/// The text without mark-up, in NFKC and lower case.
pub fn plain(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in without_markup(text).chars().take(MOST_CHARS).nfkc() {
        folded.extend(c.to_lowercase());
    }
    folded
}

/// The sentences of a plain text: it is cut at full stops, question marks, line ends and the like.
pub fn sentences(plain: &str) -> impl Iterator<Item = &str> {
    plain
        .split(['.', '!', '?', ';', '\n', '\r', '\u{2022}'])
        .filter(|sentence| sentence.chars().any(char::is_alphanumeric))
}

/// The words of a plain text, in order; a hyphen parts words, a number alone is none.
pub fn words(plain: &str) -> impl Iterator<Item = &str> {
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().any(char::is_alphabetic)).map(cut)
}

fn cut(word: &str) -> &str {
    match word.char_indices().nth(LONGEST_WORD) {
        Some((end, _)) => word.get(..end).unwrap_or(word),
        None => word,
    }
}

/// Tags become spaces and the entities common in Nordic web text become their letters.
fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = tag(from) {
            out.push(' ');
            rest = after;
        } else if let Some((letter, after)) = entity(from) {
            out.push(letter);
            rest = after;
        } else {
            let mut chars = from.chars();
            out.extend(chars.next());
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    out
}

/// What follows a tag, if the text starts with one; a tag is at most 1,000 characters long.
fn tag(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?;
    let first = inside.chars().next()?;
    if !(first.is_ascii_alphabetic() || first == '/' || first == '!') {
        return None;
    }
    let (end, _) = inside.char_indices().take(1_000).find(|(_, c)| *c == '>')?;
    inside.get(end + 1..)
}

fn entity(text: &str) -> Option<(char, &str)> {
    const ENTITIES: [(&str, char); 14] = [
        ("&amp;", '&'),
        ("&lt;", ' '),
        ("&gt;", ' '),
        ("&quot;", ' '),
        ("&nbsp;", ' '),
        ("&aelig;", 'æ'),
        ("&oslash;", 'ø'),
        ("&aring;", 'å'),
        ("&AElig;", 'æ'),
        ("&Oslash;", 'ø'),
        ("&Aring;", 'å'),
        ("&auml;", 'ä'),
        ("&ouml;", 'ö'),
        ("&shy;", '\u{ad}'),
    ];
    ENTITIES.iter().find_map(|(name, letter)| text.strip_prefix(name).map(|rest| (*letter, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_entities_are_not_words() {
        let text = plain("<p class='x'>Bl&aelig;k &amp; <b>papir</b></p> 3 < 5");
        assert_eq!(words(&text).collect::<Vec<_>>(), ["blæk", "papir"]);
    }

    #[test]
    fn a_hyphen_parts_words_and_a_number_is_none() {
        let text = plain("Børne- og it-området, 2025: 40 %");
        assert_eq!(words(&text).collect::<Vec<_>>(), ["børne", "og", "it", "området"]);
    }

    #[test]
    fn two_ways_to_write_a_letter_are_one() {
        assert_eq!(plain("A\u{30a}r"), "år");
    }

    #[test]
    fn an_endless_word_is_cut() {
        let text = plain(&"å".repeat(6_000));
        assert_eq!(words(&text).next().map(|w| w.chars().count()), Some(LONGEST_WORD));
    }
}
