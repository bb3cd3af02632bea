//! Who is asking, and what they may.
//!
//! A request comes with nothing, with an access token (a JWT of 15 minutes) or with an API key. From it a
//! [`Caller`] is made, and from the caller a proof: [`Member`], [`OrgAdmin`], [`Staff`], [`Admin`]. Proofs have
//! private fields and are made here alone, so a deed that takes `&Staff` cannot be done by anybody else.
//!
//! A token or key only names its session or owner; who that is, and what they may, is read anew for every request. So
//! an ended session, a closed account, a revoked key and a changed role count at once, on every node.

#![doc = include_str!("asvs.md")]

mod http;
mod model;
pub mod store;
mod token;

pub use http::{Context, principal};
pub use model::{Admin, Caller, Member, OrgAdmin, Person, Role, Scope, Staff};
pub use token::{ACCESS_LIFETIME, issue, use_hmac_sha256};
