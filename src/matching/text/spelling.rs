//! Spellings that lie close: the sound of a word across the Nordic languages, and small slips of the hand.

/// A word's skeleton: letters that the Nordic languages swap are written as one (`udstyr` and
/// `utstyr`, `køb` and `kjøp`), and doubled letters as single.
pub fn skeleton(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let sound = match (c, next) {
            ('h', Some('v' | 'j')) if out.is_empty() => continue,
            ('c', Some('k')) | ('k', Some('j')) | ('g', Some('j')) => {
                chars.next();
                'k'
            }
            ('b', _) => 'p',
            ('d', _) => 't',
            ('g' | 'c' | 'q', _) => 'k',
            ('w' | 'f', _) => 'v',
            ('z', _) => 's',
            ('j', _) => 'i',
            ('æ' | 'ä', _) => 'e',
            ('ö', _) => 'ø',
            (other, _) => other,
        };
        if !out.ends_with(sound) {
            out.push(sound);
        }
    }
    out
}

/// The word, and the word with each one letter left out: two words one slip apart share one of these.
pub fn one_letter_less(word: &str) -> impl Iterator<Item = String> {
    let whole = std::iter::once(word.to_owned());
    let cuts: Vec<(usize, char)> = word.char_indices().collect();
    let word = word.to_owned();
    whole.chain(cuts.into_iter().map(move |(at, c)| {
        let mut less = String::with_capacity(word.len());
        less.push_str(word.get(..at).unwrap_or_default());
        less.push_str(word.get(at + c.len_utf8()..).unwrap_or_default());
        less
    }))
}

/// Whether two words are at most one letter apart: one put in, left out, changed, or two neighbours swapped.
pub fn one_slip_apart(a: &str, b: &str) -> bool {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
    let a = a.get(start..a.len() - end).unwrap_or_default();
    let b = b.get(start..b.len() - end).unwrap_or_default();
    match (a, b) {
        ([], []) | ([_], [] | [_]) | ([], [_]) => true,
        ([x, y], [v, w]) => x == w && y == v,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nordic_variants_share_a_skeleton() {
        assert_eq!(skeleton("udstyr"), skeleton("utstyr"));
        assert_eq!(skeleton("hvid"), skeleton("vit"));
        assert_ne!(skeleton("vej"), skeleton("vand"));
    }

    #[test]
    fn a_slip_is_one_letter() {
        assert!(one_slip_apart("alarm", "alram"));
        assert!(one_slip_apart("alarm", "allarm"));
        assert!(!one_slip_apart("alarm", "larme"));
    }

    proptest! {
        #[test]
        fn a_word_without_one_letter_is_one_slip_away(word in "[a-zæøå]{1,12}") {
            for less in one_letter_less(&word) {
                prop_assert!(one_slip_apart(&word, &less));
                prop_assert!(one_slip_apart(&less, &word));
            }
        }
    }
}
