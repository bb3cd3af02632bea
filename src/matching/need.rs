//! What is matched: the words of one need, whoever wrote it.
//!
//! A challenge, a market dialogue and what a supplier writes about itself are all read the same way.

use super::text::language::Language;

/// The text and codes of one need; every part may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    pub title: String,
    /// The problem and the effect wished for, or any other running text.
    pub body: String,
    pub affected_users: String,
    pub theme: String,
    /// CPV codes, with or without the check digit.
    pub cpv: Vec<String>,
    /// The language it is said to be in; the sentences are listened to all the same.
    pub language: Option<Language>,
}

impl Need {
    /// A need of which only running text is known, as a supplier's description or a search.
    pub fn from_text(text: &str, language: Option<Language>) -> Need {
        Need { body: text.to_owned(), language, ..Need::default() }
    }
}

/// A CPV code as the eight digits that carry meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpv([u8; 8]);

impl Cpv {
    /// Reads `85312100`, `85312100-0` or a shorter stem (`853`); `None` where that is no code.
    pub fn read(code: &str) -> Option<Cpv> {
        let digits = code.trim().split('-').next()?.as_bytes();
        if !(2..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut padded = [b'0'; 8];
        for (place, digit) in padded.iter_mut().zip(digits) {
            *place = *digit;
        }
        Some(Cpv(padded))
    }

    /// How near two codes lie in the tree of codes, 0 to 1: a shared division is little, the same
    /// category much. A code and what it covers are as near as the code itself is deep.
    pub fn nearness(self, other: Cpv) -> f32 {
        let shared = self.0.iter().zip(other.0).take_while(|(a, b)| **a == *b).count();
        let depth = |code: Cpv| code.0.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
        match shared.min(depth(self).max(depth(other))) {
            0 | 1 => 0.0,
            2 => 0.2,
            3 => 0.5,
            4 => 0.8,
            _ => 1.0,
        }
    }
}

impl std::fmt::Display for Cpv {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|digit| write!(out, "{}", char::from(*digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_digit_changes_nothing() {
        assert_eq!(Cpv::read("85312100-0"), Cpv::read("85312100"));
        assert_eq!(Cpv::read("8531 2100"), None);
        assert_eq!(Cpv::read("æøå"), None);
    }

    #[test]
    fn nearer_codes_share_more() {
        let code = |text| Cpv::read(text).unwrap();
        assert_eq!(code("85000000").nearness(code("45000000")), 0.0);
        assert!(code("85312100").nearness(code("85320000")) > 0.0);
        assert_eq!(code("85312100").nearness(code("85312100")), 1.0);
        assert!(code("85000000").nearness(code("85000000")) < 0.5);
    }
}
