//! The market dialogue: how suppliers hear of the needs behind a process, and answer before there is a tender.
//!
//! ```text
//! draft ───────────publish──────────▶ published ──close (public summary)──▶ closed
//!  │ ▲ └─publish at─▶ scheduled ─clock──▶│ ▲ │
//!  │ └──unschedule───────┘  │            └─┘ └──cancel (reason)──▶ cancelled
//!  └──cancel──▶ cancelled ◀─┘   change (reason): version n + 1
//! ```
//!
//! A scheduled dialogue becomes public by the clock alone: whoever reads it compares its moment with now ([`store`]),
//! so that it is there at the same second on every node, with its versions, and no job has to run for it.
//!
//! A draft changes freely and is seen by CO-PI's staff alone. What the market has seen never changes: every change
//! after publishing is a new [`Version`], with its reason, and the old one stays readable. Cancelling and closing are
//! versions too, so that everybody who was told of the dialogue is told how it ended.
//!
//! Beside the notice stand the questions that suppliers ask ([`Question`]) and their sign-ups to events ([`Signup`]).
//! Neither needs an account: each is confirmed by a link in a mail.
//!
//! Who is told of a version is no matter of this module: see `dispatch`.

pub mod actions;
pub mod handover;
pub mod http;
mod model;
pub mod store;
mod visitor;

pub use model::{
    Change, Contact, Dialogue, Document, Event, EventKind, LeadBuyers, Nature, Notice, Question, QuestionState,
    Refusal, Signup, SignupState, State, Status, Version, VersionKind, WrittenAnswer, difference, event_line,
    few_suppliers, nobody_is_bound, suppliers, taking_part_is_free,
};
