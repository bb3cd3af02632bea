//! How everybody who asked hears the same word at the same moment, once: the only module that knows both the
//! dialogues and the subscriptions.
//!
//! ```text
//! a version is published ─┬─▶ the page shows it
//!   (one transaction)     └─▶ dispatch: open ──expand──▶ expanded ──deliver──▶ done
//!                                       a delivery for each       every delivery
//!                                       recipient, in pages       sent or settled
//! ```
//!
//! The audience of a version is whoever was confirmed when it was published and whose filter matches, and whoever was
//! told of an earlier version. The worker writes one delivery for each, a page at a time, and remembers its
//! place in the same transaction: a crash repeats nothing and forgets nobody. Letters are taken on lease, posted with no
//! transaction open by several hands, get a postmark and are settled together: at most those in flight can go twice, and
//! then under the same Message-ID. [`work`] does both for as long as there is something to do, and then waits.

pub mod actions;
pub mod audience;
pub mod bounce;
pub mod http;
pub mod ledger;
mod letters;
mod measures;
mod model;
mod periodic;
pub mod preview;
mod report;
pub mod store;
mod surroundings;
mod worker;

pub use measures::measure;
pub use model::{Dispatch, Status};
pub use surroundings::{Surroundings, notice_of_process};
pub use worker::{Worker, postman, work};
