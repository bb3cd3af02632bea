//! How people get an account and keep it: invitation, password, sessions, API keys.
//!
//! ```text
//! invited ──(link in the mail, password)──▶ active ──(sign-in)──▶ session: a chain of refresh tokens
//! ```
//!
//! Each refresh token is good once. One that is used again was copied by somebody, and ends its session.
//! No answer tells whether an address is known, in words or in time.

mod actions;
pub mod http;
mod password;
mod store;

pub use actions::{Invitation, add, add_with_password, hash_checked, invite};
