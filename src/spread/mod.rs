//! Spread (spredning): which bodies take a solution over, how far each has come with it, and what it brought.
//!
//! ```text
//! planned ──▶ bought ──▶ in_use ──▶ practice_changed
//!    └──────────┴──────────┴───────────────┴────────▶ ended
//! ```
//!
//! A solution that was bought and lies in a cupboard has not spread: only the bodies that use it, or whose practice has
//! changed, are counted. Each stage keeps its day, so that the growth of a process (8, then 12, then 29 bodies) is read
//! from the data as of any day. After 6, 12 and 24 months the buyer's contact gets a link to say what was realised
//! against what was expected; what it says is an [`Outcome`], and open data.

pub mod actions;
pub mod http;
mod letters;
mod model;
pub mod store;

pub use model::growth::{Growth, Year, growth};
pub use model::outcome::{Outcome, OutcomeState, Report, Supplier, due};
pub use model::{Adoption, AdoptionBody, BuyerContact, Figures, Stage, StageEntry, Way};
