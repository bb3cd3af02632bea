//! CVR numbers: how a Danish organisation is known to the state.

use std::fmt;

/// A Danish company or authority number: 8 digits whose sum with the weights 2,7,6,5,4,3,2,1 is divisible by 11.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cvr(String);

impl Cvr {
    /// Reads a CVR number; `DK`, spaces and hyphens around the digits are accepted and dropped.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let written = written.trim();
        let digits = written.strip_prefix("DK").or_else(|| written.strip_prefix("dk")).unwrap_or(written);
        let digits: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
        let weighted: u32 = digits
            .chars()
            .zip([2, 7, 6, 5, 4, 3, 2, 1])
            .map(|(digit, weight)| digit.to_digit(10).unwrap_or(0) * weight)
            .sum();
        let sound = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        (sound && weighted.is_multiple_of(11)).then_some(Self(digits))
    }

    /// The 8 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cvr_number_is_read_however_it_is_written() {
        for written in ["64942212", "DK64942212", "DK 64 94 22 12", "64-94-22-12", " 64942212 "] {
            assert_eq!(Cvr::parse(written).as_ref().map(Cvr::as_str), Some("64942212"), "{written}");
        }
    }

    #[test]
    fn a_wrong_digit_length_or_letter_is_no_cvr_number() {
        for written in ["64942213", "6494221", "649422120", "6494221A", "", "DK", "00000000"] {
            assert_eq!(Cvr::parse(written), None, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_number_is_read_again_as_it_is_written_and_no_text_breaks_the_reader(text in ".{0,40}", number in "(DK)?[1-9][0-9]{7}") {
            for written in [text, number] {
                let Some(cvr) = Cvr::parse(&written) else { continue };
                proptest::prop_assert_eq!(cvr.as_str().len(), 8);
                proptest::prop_assert_eq!(Cvr::parse(cvr.as_str()), Some(cvr));
            }
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(number in "[1-9][0-9]{7}", place in 1_usize..8, other in "[0-9]") {
            let mut wrong = number.clone();
            wrong.replace_range(place..=place, &other);
            proptest::prop_assume!(wrong != number);
            proptest::prop_assert!(Cvr::parse(&number).is_none() || Cvr::parse(&wrong).is_none());
        }
    }
}
