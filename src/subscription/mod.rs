//! What a supplier wishes to hear about: a filter, a mailbox, a language and a frequency. No account, ever.
//!
//! ```text
//! unconfirmed ──link in the mail──▶ confirmed ──one click, any time──▶ unsubscribed
//!      │ 7 days                         └──────── erase ────────┬───────────┘
//!      ▼                                                        ▼
//!   forgotten                                               forgotten
//! ```
//!
//! An address counts only once its owner has used the link (double opt-in); what was agreed to, when and by which way
//! is kept. Nothing expires through silence, and no answer tells whether an address is known. One address may have
//! several subscriptions, each with its own filter. What a filter matches is decided by [`Filter::matches`].
//!
//! Whoever follows one dialogue has a subscription to it alone. What dialogues are is unknown here: see `dispatch`, which
//! brings the two together.

pub mod actions;
pub mod http;
pub mod import;
mod letters;
mod model;
pub mod store;

pub use model::{
    Consent, Filter, Frequency, Hint, HintKind, Names, Notice, Reason, State, Subscription, SubscriptionBody, Why,
    consent_text, hints, words_of,
};
