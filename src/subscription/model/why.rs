//! Why a notice came.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Language, Text, text};

/// One thing by which a filter matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = NoticeReason, example = json!({"kind": "cpv", "wanted": "33000000", "found": "33195100"}))]
pub enum Reason {
    /// The filter is empty: it matches everything.
    Everything,
    /// A CPV code of the notice lies at or below one of the filter.
    Cpv {
        wanted: String,
        found: String,
    },
    /// A place of the notice lies in one of the filter.
    Nuts {
        wanted: String,
        found: String,
    },
    /// The notice names no place, so it may be anywhere.
    PlaceNotStated,
    Theme {
        theme: String,
    },
    /// The notice belongs to a process of the filter.
    Process {
        title: String,
    },
    /// The dialogue is followed.
    Dialogue {
        title: String,
    },
    /// These words stand in the notice.
    Text {
        words: String,
    },
    /// The notice is about what the filter describes, in other words.
    Meaning {
        wanted: String,
        danish: String,
        english: String,
    },
    /// An earlier version was sent: who was told once is told of every change.
    ToldBefore,
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn words(&self) -> Text {
        match self {
            Self::Everything => {
                text!("dit filter er tomt og passer på alt", "your filter is empty and matches everything")
            }
            Self::Cpv { wanted, found } if wanted == found => text!("CPV-koden {found}", "the CPV code {found}"),
            Self::Cpv { wanted, found } => {
                text!("CPV-koden {found}, som hører under {wanted}", "the CPV code {found}, which lies below {wanted}")
            }
            Self::Nuts { wanted, found } if wanted == found => text!("stedet {found}", "the place {found}"),
            Self::Nuts { wanted, found } => {
                text!("stedet {found}, som ligger i {wanted}", "the place {found}, which lies in {wanted}")
            }
            Self::PlaceNotStated => text!("stedet er ikke oplyst", "no place is stated"),
            Self::Theme { theme } => text!("temaet »{theme}«", "the theme “{theme}”"),
            Self::Process { title } => text!("skaleringsprocessen »{title}«", "the scaling process “{title}”"),
            Self::Dialogue { title } => {
                text!("du følger markedsdialogen »{title}«", "you follow the market dialogue “{title}”")
            }
            Self::Text { words } => text!("ordene »{words}«", "the words “{words}”"),
            Self::Meaning { wanted, danish, english } => text!(
                "den ligner din beskrivelse »{wanted}«: {danish}",
                "it resembles your description “{wanted}”: {english}"
            ),
            Self::ToldBefore => {
                text!("du har fået en tidligere udgave", "an earlier version was sent to you")
            }
        }
    }
}

/// All by which a filter matched; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NoticeReasons)]
pub struct Why(pub Vec<Reason>);

impl Why {
    /// On one line, in the reader's language.
    #[must_use]
    pub fn line(&self, language: Language) -> String {
        let words: Vec<String> = self.0.iter().map(|reason| reason.words().to(language).to_owned()).collect();
        words.join("; ")
    }
}
