//! "Kender du en velfærdsudfordring?": what anybody suggests to a call, without an account, before some body owns it.
//!
//! ```text
//! unconfirmed ──link in the mail──▶ waiting ──CO-PI──▶ invited ──the body──▶ accepted (a draft challenge of the body)
//!      │ 7 days                       │  ▲               │
//!      ▼                              │  └── declined ───┘
//!   forgotten                         └──CO-PI──▶ set aside
//! ```
//!
//! The call's criteria stand in plain words before the field. Staff see a suggestion beside its likely twins, and turn it
//! into an invitation to a body; the body answers by the link in the mail or signed in, and from then on the challenge is
//! its own. Whoever suggested it hears how it ended; then their address is forgotten.
//!
//! | Danish | here | meaning |
//! |---|---|---|
//! | forslag | suggestion | what somebody thinks a call should take up |
//! | tvilling | twin | a challenge or suggestion that is likely the same |
//! | invitation | invitation | CO-PI asks a body to own it |

pub mod actions;
pub mod handover;
pub mod http;
mod letters;
mod model;
pub mod store;

pub use model::{OutOfOrder, State, Suggestion, Told};
