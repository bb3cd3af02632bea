//! What whoever left words without an account may erase by the link in the mail: the address alone, or the words too.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Field, HtmlPage};
use crate::kernel::{Language, Text, text};
use crate::mail::Prose;

/// What the buttons of such a page send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetForm {
    pub deed: ForgetDeed,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForgetDeed {
    /// No more mail: the address is forgotten.
    Stop,
    /// The words are forgotten too.
    Erase,
}

impl ForgetDeed {
    /// What is said when it is done.
    #[must_use]
    pub fn done(self) -> Text {
        match self {
            Self::Stop => {
                text!("Adressen er slettet. Der kommer ikke flere mails.", "The address is erased. No more mail comes.")
            }
            Self::Erase => text!("Det, du skrev, er slettet.", "What you wrote is erased."),
        }
    }

    /// The page that says so.
    #[must_use]
    pub fn done_page(self, language: Language) -> HtmlPage {
        let prose = Prose::default().paragraph(self.done().to(language));
        HtmlPage::new(language, text!("Det er gjort", "Done").to(language), &prose)
    }
}

/// The page with a button for each deed; `stop` is what stands on the one for the address, where there is one to erase.
#[must_use]
pub fn with_forget_buttons(page: HtmlPage, action: &str, stop: Option<Text>, language: Language) -> HtmlPage {
    let button = |page: HtmlPage, value, words: Text| {
        page.form(action, &[Field::Hidden { name: "deed", value }], words.to(language))
    };
    let page = match stop {
        Some(words) => button(page, "stop", words),
        None => page,
    };
    button(page, "erase", text!("Slet det, jeg skrev", "Erase what I wrote"))
}
