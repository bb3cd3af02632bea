//! A need (behov) as the people on the floor meet it, and the inbox (behovsindbakke) where they leave it: the way from a
//! night nurse's two minutes to a challenge, after Bispebjerg and Frederiksberg Hospital's *Behovsfabrik*.
//!
//! ```text
//! new ──▶ seen ──▶ gathered into a challenge ──▶ (the challenge's own road, to a process)
//!   │      │ ▲
//!   │      │ └──── taken up again
//!   └──────┴──▶ answered · set aside (with a reason)
//! ```
//!
//! A body opens an inbox with an address of its own. Anybody who has the address leaves a need there, without an account
//! and without a name: what happens, how often, whom it troubles, what is done about it today. The body's own people sort:
//! like needs lie together ([`crate::matching`]), departments and other bodies say "det har vi også", and several needs
//! become one challenge whose time and scale are counted up from theirs. A need is never merged: whoever left it can see
//! what became of it, and from a process one can walk back to every need behind it.
//!
//! | Danish | here | meaning |
//! |---|---|---|
//! | behov | need | what somebody on the floor lacks or struggles with |
//! | behovsindbakke | needs inbox | where a body's staff leave needs |
//! | det har vi også | recognition | a department or another body has the need too |
//! | samle | gather | let several needs become one challenge |
//!
//! Start reading at [`State`] and [`Estimate`].

pub mod actions;
mod estimate;
pub mod handover;
pub mod http;
mod letters;
mod model;
pub mod store;

pub use estimate::{Estimate, Voice};
pub use model::{HowOften, Inbox, InboxBody, Need, OutOfOrder, Per, Recognition, State, Told};
