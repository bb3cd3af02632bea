//! Compounds taken apart: *vandløbsvedligeholdelse* is *vandløb* and *vedligeholdelse*.
//!
//! A word is cut into the fewest, longest words that are known, with the letters that link them
//! (s, e, er, n, en, o, u) left out. Where only one end is known, that end and the rest are parts.

use crate::matching::atom::Group;

/// A part is at least this long; two letters are never enough to know a word by.
const SHORTEST: usize = 3;
/// A known end of an otherwise unknown word must be this long to be believed.
const SHORTEST_LONE: usize = 5;
const MOST_PARTS: u8 = 4;
const LINKS: [(&str, f32); 7] =
    [("s", 0.05), ("e", 0.15), ("er", 0.25), ("n", 0.3), ("en", 0.3), ("o", 0.3), ("u", 0.3)];

/// The words a compound may be made of, in folded spelling.
#[derive(Default)]
pub struct Dictionary {
    forms: Group<Box<str>>,
}

impl Dictionary {
    pub fn add(&mut self, form: &str) {
        if form.chars().count() >= SHORTEST && !self.forms.contains(form) {
            self.forms.insert(form.into());
        }
    }

    pub fn knows(&self, form: &str) -> bool {
        self.forms.contains(form)
    }

    /// The parts of a folded word, or none if it is no compound; `stem` takes the ending off the last.
    pub fn split(&self, word: &str, stem: impl Fn(&str) -> String) -> Vec<String> {
        let bounds: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        if bounds.len() <= 2 * SHORTEST {
            return Vec::new();
        }
        let whole = self.cut(word, &bounds, &stem);
        if whole.is_empty() { self.one_end(word, &bounds, &stem) } else { whole }
    }

    /// The cheapest way to cut the whole word into known parts.
    fn cut(&self, word: &str, bounds: &[usize], stem: &impl Fn(&str) -> String) -> Vec<String> {
        // For each position: the cost so far, the number of parts, where the last began, and the last.
        let mut best: Vec<Option<(f32, u8, usize, String)>> = vec![None; bounds.len()];
        let last = bounds.len() - 1;
        for end in SHORTEST..=last {
            for start in 0..=end - SHORTEST {
                if start == 0 && end == last {
                    continue;
                }
                let so_far = match best.get(start) {
                    Some(Some((cost, parts, ..))) if *parts < MOST_PARTS => (*cost, *parts),
                    _ if start == 0 => (0.0, 0),
                    _ => continue,
                };
                let piece = piece(word, bounds, start, end);
                let Some((part, cost)) = self.part(piece, end == last, stem) else { continue };
                let cost = so_far.0 + cost;
                let Some(slot) = best.get_mut(end) else { continue };
                if slot.as_ref().is_none_or(|known| cost < known.0) {
                    *slot = Some((cost, so_far.1 + 1, start, part));
                }
            }
        }
        let mut parts = Vec::new();
        let mut end = last;
        while let Some(Some((_, _, start, part))) = best.get(end) {
            parts.push(part.clone());
            end = *start;
            if end == 0 {
                break;
            }
        }
        parts.reverse();
        parts
    }

    /// A known part and what it costs: one, more for short words, a little for the linking letters.
    fn part(&self, piece: &str, is_last: bool, stem: &impl Fn(&str) -> String) -> Option<(String, f32)> {
        let weight = |part: &str| match part.chars().count() {
            0..=2 => None,
            3 => Some(1.9),
            4 => Some(1.35),
            _ => Some(1.0),
        };
        if self.knows(piece) {
            return Some((stem(piece), weight(piece)?));
        }
        if is_last {
            let stemmed = stem(piece);
            return if self.knows(&stemmed) {
                let cost = weight(&stemmed)?;
                Some((stemmed, cost))
            } else {
                None
            };
        }
        LINKS.iter().find_map(|(link, cost)| {
            let part = piece.strip_suffix(link)?;
            self.knows(part).then(|| weight(part).map(|own| (stem(part), own + cost)))?
        })
    }

    /// The longest known end, and the rest of the word as it is.
    fn one_end(&self, word: &str, bounds: &[usize], stem: &impl Fn(&str) -> String) -> Vec<String> {
        let last = bounds.len() - 1;
        for length in (SHORTEST_LONE..last.saturating_sub(SHORTEST)).rev() {
            let tail = piece(word, bounds, last - length, last);
            let tail_stem = stem(tail);
            if self.knows(tail) || (tail_stem.chars().count() >= SHORTEST_LONE && self.knows(&tail_stem)) {
                let rest = piece(word, bounds, 0, last - length);
                return vec![stem(rest.strip_suffix('s').unwrap_or(rest)), tail_stem];
            }
            let front = piece(word, bounds, 0, length);
            if self.knows(front) {
                let rest = piece(word, bounds, length, last);
                return vec![stem(front), stem(rest.strip_prefix('s').unwrap_or(rest))];
            }
        }
        Vec::new()
    }
}

fn piece<'a>(word: &'a str, bounds: &[usize], start: usize, end: usize) -> &'a str {
    match (bounds.get(start), bounds.get(end)) {
        (Some(start), Some(end)) => word.get(*start..*end).unwrap_or_default(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::text::language::Language;
    use crate::matching::text::stem::Stems;
    use proptest::prelude::*;

    fn split(known: &[&str], word: &str) -> Vec<String> {
        let stems = Stems::default();
        let mut dictionary = Dictionary::default();
        for form in known {
            dictionary.add(form);
        }
        dictionary.split(word, |piece| stems.stem(piece, Language::Danish))
    }

    #[test]
    fn the_linking_s_is_left_out() {
        let known = ["vandløb", "vedligehold", "vand", "løb"];
        assert_eq!(split(&known, "vandløbsvedligeholdelse"), ["vandløb", "vedligehold"]);
    }

    #[test]
    fn the_linking_e_is_left_out() {
        assert_eq!(split(&["barn", "træ", "jul"], "julebarn"), ["jul", "barn"]);
    }

    #[test]
    fn three_parts_are_found() {
        let known = ["døgn", "rytme", "lys", "døgnryt"];
        let parts = split(&known, "døgnrytmelyset");
        assert_eq!(parts, ["døgn", "rytm", "lys"]);
    }

    #[test]
    fn a_known_end_is_enough() {
        assert_eq!(split(&["granulat"], "kitosangranulat"), ["kitosan", "granulat"]);
    }

    #[test]
    fn a_simple_word_has_no_parts() {
        assert!(split(&["vand", "løb"], "beton").is_empty());
    }

    proptest! {
        #[test]
        fn any_word_is_split_without_panic(word in "\\PC{0,48}", known in proptest::collection::vec("[a-zæøå]{1,6}", 0..6)) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            split(&known, &word);
        }
    }
}
