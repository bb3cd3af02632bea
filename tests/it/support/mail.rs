//! A letter, as a test reads it.

use skala::mail::{Letter, OneClick};

/// A letter that came.
#[derive(Clone, Debug)]
pub struct Mail {
    pub message_id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub one_click: Option<OneClick>,
}

impl Mail {
    pub(super) fn of((message_id, letter): (String, Letter)) -> Self {
        let html = letter.prose.html(letter.language.tag(), &letter.subject);
        let Letter { to, subject, prose, one_click, .. } = letter;
        Self { message_id, to, subject, text: prose.text(), html, one_click }
    }

    /// The first address in it that holds `part`.
    pub fn link(&self, part: &str) -> String {
        let words = self.text.split_whitespace();
        let mut links = words.filter(|word| word.starts_with("http") && word.contains(part));
        links.next().unwrap_or_else(|| panic!("no link with {part:?} in:\n{}", self.text)).to_owned()
    }

    /// The secret at the end of that address.
    pub fn token(&self, part: &str) -> String {
        let link = self.link(part);
        link.rsplit(['/', '#', '=']).next().unwrap_or_default().to_owned()
    }
}
