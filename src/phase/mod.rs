//! The five phases of public-private innovation (OPI), as a track that a process may carry beside its six steps.
//!
//! ```text
//! idea ──▶ startup ──▶ innovation ──▶ market_maturation ──▶ implementation ──▶ finished
//! ```
//!
//! Each phase has a checklist for the public body, the company and the knowledge institution. The checklist is data in
//! versions: staff write the next one, and a track keeps the one that it began with until it is renewed. An item is done or
//! waived, by somebody, with a reason; a phase with open items is left only with a reason. Beside it stands a library of
//! tools and cases.

pub mod actions;
pub mod http;
mod library;
mod model;
pub mod store;

pub use library::{Entry, EntryBody, EntryKind};
pub use model::{Actor, Checklist, ChecklistBody, Item, Mark, MarkState, Phase, Track, WrongTurn, built_in};
