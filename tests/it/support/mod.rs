//! The test house.
//!
//! A test starts a [`TestApp`], lets [`Client`]s act on it, and reads its mail. Everything is put in place through
//! the API ([`given`]); only people are entered directly, since signing in costs a password hash each. When the
//! test ends, the app fails it if a letter was left unread.
mod app;
mod client;
mod contract;
mod database;
pub mod given;
mod mail;
mod sink;
pub mod tls;

pub use app::{TestApp, wait_for};
pub use client::{Answer, Client};
pub use contract::{Operation, operations, schema_at};
pub use database::{Folder, TestDatabase};
pub use mail::Mail;
pub use sink::{Manner, Sink};

/// Something with an id and a name, as tests pass it around.
#[derive(Clone, Debug)]
pub struct Named {
    pub id: String,
    pub name: String,
}
