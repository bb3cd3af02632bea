//! Input that has been looked at. A request body becomes a [`Fit`] by being checked whole, with every
//! flaw named at once; the rules take only `Fit<…>`, so unchecked input cannot reach them.

use std::ops::Deref;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use super::privacy::{Trace, has_cpr};
use super::{Cpv, Email, Nuts, Text, fold, text};

/// One thing that is wrong with a body, and where (RFC 6901 pointer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub pointer: String,
    pub code: &'static str,
    pub text: Text,
}

/// All that is wrong with a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaws(pub Vec<Flaw>);

/// What can be brought into shape and found fit.
pub trait Fitting {
    /// Trims and normalises in place, and records what is wrong.
    fn fit(&mut self, flaws: &mut Flaws);
}

/// A value that was found fit; there is no other way to make one than [`Fit::check`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Fit<T>(T);

impl<T: Fitting> Fit<T> {
    /// Looks at the value.
    ///
    /// # Errors
    /// Every flaw found, in the order of the fields.
    pub fn check(mut value: T) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        value.fit(&mut flaws);
        if flaws.0.is_empty() { Ok(Self(value)) } else { Err(flaws) }
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Fit<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl Flaws {
    /// Records a flaw.
    pub fn add(&mut self, pointer: &str, code: &'static str, text: Text) {
        self.0.push(Flaw { pointer: pointer.to_owned(), code, text });
    }

    /// A single line of `least` to `most` characters: trimmed, without control characters.
    pub fn line(&mut self, pointer: &str, value: &mut String, least: usize, most: usize) {
        self.length(pointer, value, least, most);
        if value.chars().any(char::is_control) {
            self.add(
                pointer,
                "control_character",
                text!(
                    "Feltet må kun være én linje uden styretegn",
                    "The field must be one line without control characters"
                ),
            );
        }
    }

    /// A text of `least` to `most` characters, line breaks and tabs allowed; CRLF becomes LF.
    pub fn prose(&mut self, pointer: &str, value: &mut String, least: usize, most: usize) {
        if value.contains('\r') {
            *value = value.replace("\r\n", "\n").replace('\r', "\n");
        }
        self.length(pointer, value, least, most);
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            self.add(
                pointer,
                "control_character",
                text!("Teksten indeholder styretegn", "The text contains control characters"),
            );
        }
    }

    /// Words that are kept for good and shown to others: a text without a CPR number.
    pub fn kept_prose(&mut self, pointer: &str, value: &mut String, least: usize, most: usize) {
        self.prose(pointer, value, least, most);
        self.no_cpr(pointer, value);
    }

    /// A CPR number is told to nobody.
    pub fn no_cpr(&mut self, pointer: &str, value: &str) {
        if has_cpr(value) {
            self.add(pointer, Trace::Cpr.word(), Trace::Cpr.words());
        }
    }

    /// Words from an open door: a text without markup and without a CPR number.
    pub fn open_prose(&mut self, pointer: &str, value: &mut String, least: usize, most: usize) {
        self.kept_prose(pointer, value, least, most);
        let tag =
            |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) && rest.contains('>');
        if value.split('<').skip(1).any(tag) {
            self.add(pointer, "markup", text!("Skriv ren tekst uden koder", "Write plain text without markup"));
        }
    }

    fn length(&mut self, pointer: &str, value: &mut String, least: usize, most: usize) {
        let trimmed = value.trim();
        if trimmed.len() != value.len() {
            *value = trimmed.to_owned();
        }
        let length = value.chars().count();
        if length == 0 && least > 0 {
            self.add(pointer, "required", text!("Feltet skal udfyldes", "The field must be filled in"));
        } else if length < least {
            self.add(
                pointer,
                "too_short",
                text!("Mindst {least} tegn; her er {length}", "At least {least} characters; there are {length}"),
            );
        } else if length > most {
            self.add(
                pointer,
                "too_long",
                text!("Højst {most} tegn; her er {length}", "At most {most} characters; there are {length}"),
            );
        }
    }

    /// A number from `least` to `most`.
    pub fn number(&mut self, pointer: &str, value: f64, least: f64, most: f64) {
        if !value.is_finite() || value < least || value > most {
            self.add(
                pointer,
                "out_of_range",
                text!("Tallet skal ligge mellem {least} og {most}", "The number must lie between {least} and {most}"),
            );
        }
    }

    /// A day that either database can keep and a calendar can show: from 1900 to 9999.
    pub fn date(&mut self, pointer: &str, value: Option<NaiveDate>) {
        if value.is_some_and(|date| !(1900..=9999).contains(&date.year())) {
            self.add(
                pointer,
                "out_of_range",
                text!("Året skal ligge mellem 1900 og 9999", "The year must lie between 1900 and 9999"),
            );
        }
    }

    /// A list of at most `most` items.
    pub fn count<T>(&mut self, pointer: &str, items: &[T], least: usize, most: usize) {
        let count = items.len();
        if count < least {
            self.add(pointer, "too_few", text!("Mindst {least} skal angives", "At least {least} must be given"));
        } else if count > most {
            self.add(
                pointer,
                "too_many",
                text!("Højst {most} kan angives; her er {count}", "At most {most} can be given; there are {count}"),
            );
        }
    }

    /// CPV codes, at most 50, normalised to eight digits, each once.
    pub fn cpv_codes(&mut self, pointer: &str, codes: &mut Vec<String>) {
        self.codes(
            pointer,
            codes,
            "not_a_cpv_code",
            |code| Cpv::parse(code).map(|code| code.to_string()),
            || text!("En CPV-kode er 8 cifre, fx 33192000-2", "A CPV code is 8 digits, e.g. 33192000-2"),
        );
    }

    /// NUTS codes, at most 50, in capitals, each once.
    pub fn nuts_codes(&mut self, pointer: &str, codes: &mut Vec<String>) {
        self.codes(
            pointer,
            codes,
            "not_a_nuts_code",
            |code| Nuts::parse(code).map(|code| code.to_string()),
            || {
                text!(
                    "En NUTS-kode er et land og op til tre tegn, fx DK042",
                    "A NUTS code is a country and up to three characters, e.g. DK042"
                )
            },
        );
    }

    fn codes(
        &mut self,
        pointer: &str,
        codes: &mut Vec<String>,
        code: &'static str,
        parse: impl Fn(&str) -> Option<String>,
        say: impl Fn() -> Text,
    ) {
        self.count(pointer, codes, 0, 50);
        let mut sound: Vec<String> = Vec::with_capacity(codes.len());
        for (index, written) in codes.iter().enumerate() {
            match parse(written) {
                Some(parsed) if sound.contains(&parsed) => {}
                Some(parsed) => sound.push(parsed),
                None => self.add(&format!("{pointer}/{index}"), code, say()),
            }
        }
        *codes = sound;
    }

    /// An e-mail address, trimmed.
    pub fn email(&mut self, pointer: &str, value: &mut String) {
        match Email::parse(value) {
            Some(email) => email.as_str().clone_into(value),
            None => self.add(
                pointer,
                "not_an_email",
                text!("Det ligner ikke en mailadresse", "This does not look like an e-mail address"),
            ),
        }
    }

    /// Names or words of 1 to `most` characters, at most `count` of them, each once whatever its letter case.
    pub fn names(&mut self, pointer: &str, names: &mut Vec<String>, count: usize, most: usize) {
        self.count(pointer, names, 0, count);
        for (index, name) in names.iter_mut().enumerate() {
            self.line(&format!("{pointer}/{index}"), name, 1, most);
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(fold(name)));
    }

    /// An absolute `https` or `http` address of at most 2,000 characters.
    pub fn url(&mut self, pointer: &str, value: &mut String) {
        self.line(pointer, value, 1, 2000);
        let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
        let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        if host.is_none_or(str::is_empty) || value.contains(char::is_whitespace) {
            self.add(
                pointer,
                "not_a_url",
                text!("Adressen skal begynde med https://", "The address must begin with https://"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Note {
        title: String,
        cpv: Vec<String>,
    }
    impl Fitting for Note {
        fn fit(&mut self, flaws: &mut Flaws) {
            flaws.line("/title", &mut self.title, 1, 5);
            flaws.cpv_codes("/cpv", &mut self.cpv);
        }
    }

    #[test]
    fn every_flaw_is_named_at_once_with_its_place() {
        let flaws = Fit::check(Note { title: "  ".into(), cpv: vec!["33192000".into(), "x".into()] }).unwrap_err();
        let places: Vec<_> = flaws.0.iter().map(|flaw| (flaw.pointer.as_str(), flaw.code)).collect();
        assert_eq!(places, [("/title", "required"), ("/cpv/1", "not_a_cpv_code")]);
    }

    #[test]
    fn what_is_fit_comes_out_trimmed_and_normalised() {
        let note =
            Fit::check(Note { title: " ØÆÅ ".into(), cpv: vec!["33192000-2".into(), "33192000".into()] }).unwrap();
        assert_eq!((note.title.as_str(), note.cpv.as_slice()), ("ØÆÅ", ["33192000".to_owned()].as_slice()));
    }

    #[test]
    fn an_open_door_takes_words_alone() {
        let judge = |written: &str| {
            let mut flaws = Flaws::default();
            flaws.open_prose("/what", &mut written.to_owned(), 1, 100);
            flaws.0.iter().map(|flaw| flaw.code).collect::<Vec<_>>()
        };
        assert_eq!(judge("Feber < 38 og puls > 90; 3 <3"), Vec::<&str>::new());
        assert_eq!(judge("<a href=x>"), ["markup"]);
        assert_eq!(judge("010190-1234 </b>"), ["cpr_number", "markup"]);
    }

    #[test]
    fn only_an_address_with_a_host_is_a_url() {
        let judge = |written: &str| {
            let mut flaws = Flaws::default();
            flaws.url("/url", &mut written.to_owned());
            flaws.0.is_empty()
        };
        assert!(judge("https://co-pi.dk/x?y#z"));
        for bad in ["", "javascript:alert(1)", "https://", "https:///x", "https://a b.dk"] {
            assert!(!judge(bad), "{bad}");
        }
    }
}
