//! E-mail addresses, as far as a mailbox can be told from a mistake without asking it.

use std::fmt;

/// An e-mail address that a letter can be addressed to (RFC 5321: at most 254 characters), kept as written.
///
/// Danish letters are taken before the `@` (RFC 6531) and after it. Two addresses are the same mailbox
/// to us when they differ in letter case alone: see [`Email::key`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address; spaces around it are dropped.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let written = written.trim();
        let fits = written.len() <= 254
            && !written.chars().any(|c| c.is_control() || c.is_whitespace())
            && written.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.') && !domain.starts_with('['))
            && written.parse::<lettre::Address>().is_ok();
        fits.then(|| Self(written.to_owned()))
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the `@`, in small letters: who receives its mail.
    #[must_use]
    pub fn domain(&self) -> String {
        self.0.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_lowercase())
    }

    /// The address folded to small letters: what must be unique.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_danish_addresses_are_read() {
        for written in ["a@b.dk", "ane+skala@firma.dk", "søren@økøb.dk", "  Ane@Firma.DK "] {
            assert!(Email::parse(written).is_some(), "{written}");
        }
        assert_eq!(Email::parse(" Ane@Firma.DK ").unwrap().key(), "ane@firma.dk");
    }

    #[test]
    fn what_cannot_be_a_mailbox_or_hides_a_header_is_refused() {
        let long = format!("{}@b.dk", "a".repeat(250));
        for written in
            ["", "a", "a@", "@b.dk", "a@b", "a b@c.dk", "a@b.dk\r\nBcc: x@y.dk", "a@b.dk,c@d.dk", "<a@b.dk>", &long]
        {
            assert_eq!(Email::parse(written), None, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_address_is_read_again_as_it_is_written_and_never_holds_a_second_line(text in ".{0,60}", name in "[a-z.+]{1,12}", host in "[a-zæ.-]{1,20}") {
            for written in [text, format!("{name}@{host}"), format!(" {name}@{host}\r\n")] {
                let Some(email) = Email::parse(&written) else { continue };
                proptest::prop_assert_eq!(Email::parse(email.as_str()), Some(email.clone()));
                proptest::prop_assert!(email.as_str().len() <= 254 && !email.as_str().contains(char::is_control));
                proptest::prop_assert!(!email.domain().is_empty());
            }
        }
    }
}
