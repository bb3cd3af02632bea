//! Help that is asked for: what those who work with innovative procurement need more support with, after CO-PI's mapping of it.
//!
//! ```text
//! unconfirmed ──link in the mail──▶ waiting ──▶ answered ──▶ closed
//!      │ 7 days                        └───────────────────────▲
//!      ▼                                  (with a reason)
//!   forgotten
//! ```
//!
//! Anybody asks: signed in, or with an address that is confirmed by mail. Staff answer and close; then the address is
//! forgotten. What is asked for is counted by kind, user group and quarter, without persons and with small numbers hidden
//! ([`Table`]); what recurs without an answer stands on top.
//!
//! | Danish | here |
//! |---|---|
//! | støtte, hjælp | support |
//! | viden, værktøj, guide, case, skabelon, sparring, netværk, markedsdialog, partnerskabs- og finansieringsmodel, matchmaking | the kinds |
//! | brugergruppe | user group: the part somebody plays around an innovative purchase |

pub mod actions;
mod demand;
pub mod handover;
pub mod http;
mod letters;
mod model;
pub mod store;

pub use demand::Table;
pub use model::{Ask, Kind, OutOfOrder, Quarter, State, SupportRequest, UserGroup};
