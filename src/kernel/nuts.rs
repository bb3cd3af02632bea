//! NUTS codes (Regulation (EC) 1059/2003): where, in a hierarchy from country to province.

use std::fmt;

/// A NUTS code: two letters for the country and up to three more characters, each a level deeper.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nuts(String);

impl Nuts {
    /// Reads `DK`, `DK04` or `dk042`.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let code = written.trim().to_ascii_uppercase();
        let (country, rest) = code.split_at_checked(2)?;
        let sound = country.bytes().all(|b| b.is_ascii_uppercase())
            && rest.len() <= 3
            && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        sound.then_some(Self(code))
    }

    /// The code in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this area or lies within it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for Nuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_covers_its_provinces() {
        let nuts = |written| Nuts::parse(written).unwrap();
        assert!(nuts("DK").covers(&nuts("dk042")));
        assert!(nuts("DK04").covers(&nuts("DK042")));
        assert!(!nuts("DK042").covers(&nuts("DK04")));
    }

    #[test]
    fn what_has_no_country_is_no_area() {
        for written in ["", "D", "4K", "DK0422", "DK-4", "ØD"] {
            assert_eq!(Nuts::parse(written), None, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_code_is_read_again_as_it_is_written_and_no_text_breaks_the_reader(text in ".{0,40}", code in "[a-zA-Z]{2}[0-9a-zA-Z]{0,4}") {
            for written in [text, code] {
                let Some(nuts) = Nuts::parse(&written) else { continue };
                proptest::prop_assert_eq!(Nuts::parse(nuts.as_str()), Some(nuts.clone()));
                proptest::prop_assert!((2..=5).contains(&nuts.as_str().len()) && nuts.covers(&nuts));
            }
        }
    }
}
