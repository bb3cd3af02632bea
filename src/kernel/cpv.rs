//! CPV 2008 codes (Regulation (EC) 213/2008): what is bought, in a hierarchy of eight digits.

use std::fmt;

/// A CPV code by its eight digits; a check digit may follow when it is written and is not kept,
/// since no formula fits all of the official ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cpv(String);

impl Cpv {
    /// Reads `33192000`, `33192000-2` or `33 19 20 00`.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let written: String = written.chars().filter(|c| !c.is_whitespace()).collect();
        let (code, check) = written.split_once('-').unwrap_or((&written, "0"));
        let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        (digits(code, 8) && digits(check, 1) && !code.starts_with("00")).then(|| Self(code.to_owned()))
    }

    /// The eight digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits that carry meaning: a division keeps two, a full code up to eight.
    #[must_use]
    pub fn stem(&self) -> &str {
        let stem = self.0.trim_end_matches('0');
        let division = self.0.get(..2).unwrap_or(&self.0);
        if stem.len() < 2 { division } else { stem }
    }

    /// Whether `other` is this code or lies below it in the hierarchy.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(self.stem())
    }
}

impl fmt::Display for Cpv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpv(written: &str) -> Cpv {
        Cpv::parse(written).unwrap()
    }

    #[test]
    fn a_parent_covers_its_descendants_and_not_the_reverse() {
        assert!(cpv("33000000").covers(&cpv("33192000-2")));
        assert!(cpv("33190000").covers(&cpv("33192000")));
        assert!(cpv("33192000").covers(&cpv("33192000-2")));
        assert!(!cpv("33192000").covers(&cpv("33190000")));
        assert!(!cpv("30000000").covers(&cpv("33000000")), "a division keeps both digits");
    }

    #[test]
    fn what_is_not_eight_digits_is_no_code() {
        for written in ["", "3319200", "331920000", "33192000-", "33192000-22", "3319200x", "00000000"] {
            assert_eq!(Cpv::parse(written), None, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_code_is_read_again_as_it_is_written_and_no_text_breaks_the_reader(text in ".{0,40}", code in "[0-9 ]{8,12}(-[0-9])?") {
            for written in [text, code] {
                let Some(cpv) = Cpv::parse(&written) else { continue };
                proptest::prop_assert_eq!(Cpv::parse(cpv.as_str()), Some(cpv.clone()));
                proptest::prop_assert!(cpv.as_str().len() == 8 && (2..=8).contains(&cpv.stem().len()) && cpv.covers(&cpv));
            }
        }
    }
}
