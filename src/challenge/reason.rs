//! Why staff gave a challenge back or said no: a word for those who count, and words for those who read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Text, text};

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    TimeSavings,
    Reduction,
    Scale,
    Anchoring,
    AlreadySolved,
    ProductInsteadOfNeed,
    Unclear,
    OutOfScope,
    Duplicate,
    Other,
}

impl ReasonCode {
    /// For people.
    #[must_use]
    pub fn name(self) -> Text {
        match self {
            Self::TimeSavings => text!("tidsbesparelsen", "the time saved"),
            Self::Reduction => text!("besparelsen", "the reduction"),
            Self::Scale => text!("skalaen", "the scale"),
            Self::Anchoring => text!("toplederforankringen", "the anchoring in the top"),
            Self::AlreadySolved => text!("den er allerede løst", "it is solved already"),
            Self::ProductInsteadOfNeed => text!("et produkt i stedet for et behov", "a product instead of a need"),
            Self::Unclear => text!("den er uklar", "it is unclear"),
            Self::OutOfScope => text!("den falder uden for", "it is out of scope"),
            Self::Duplicate => text!("den findes allerede", "it is there already"),
            Self::Other => text!("andet", "something else"),
        }
    }
}

/// A reason in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub reason: String,
    pub codes: Vec<ReasonCode>,
}

impl Why {
    /// As the owner reads it in Danish.
    #[must_use]
    pub fn words(&self) -> String {
        let kinds: Vec<String> = self.codes.iter().map(|code| code.name().da).collect();
        if kinds.is_empty() {
            self.reason.clone()
        } else {
            format!("{}\n\nDet drejer sig om: {}.", self.reason, kinds.join(", "))
        }
    }
}
