//! How people get an account and keep it: invitation, password, sessions, API keys.
//!
//! ```text
//! invited ──(link in the mail, password)──▶ active ──(sign-in)──▶ session: a chain of refresh tokens
//!                                             ▲ │
//!                                             └─┴─ deactivated: sessions ended, keys revoked
//! ```
//!
//! Each refresh token is good once. One that is used again was copied by somebody, and ends its session. Guessing is
//! slowed down by the rules of [throttle](throttle). A forgotten password is replaced by a link in a mail.
//! No answer tells whether an address is known, in words or in time.

mod actions;
mod handover;
pub mod http;
mod letters;
mod link;
mod origin;
mod password;
mod store;
mod throttle;

pub use actions::{Invitation, add, add_with_password, hash_checked, invite, send_links};
pub use handover::take_over;
pub use store::forget_old;
