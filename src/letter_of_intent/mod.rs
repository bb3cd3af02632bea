//! A letter of intent (hensigtserklæring): what the bodies of a process sign together, each for itself.
//!
//! ```text
//! draft ⇄ (comment rounds) ──▶ signing ──▶ frozen at the first signature ──▶ more signatures, addenda
//!   └──────────────────────────────┴──────────────┴──▶ withdrawn
//! ```
//!
//! Its text is made from a versioned template with the bodies and the figures they committed to. Each body's signatory gets
//! a link that shows exactly the text, and signs or declines with one button. The link is bound to the text's SHA-256:
//! a signature on a text that has changed cannot be given, and the first signature freezes it. A body that comes later joins
//! by an addendum that names the frozen text's hash; a supporter signs a partner declaration instead. Taking part in a
//! process and having signed stay two things.

pub mod actions;
pub mod http;
mod letters;
mod model;
pub mod store;

pub use actions::handover;
pub use model::template::{Template, TemplateBody, built_in, render};
pub use model::{
    Comment, Document, Kind, LetterOfIntent, Signatory, SignatoryState, Situation, Status, Words, kind_for,
};
