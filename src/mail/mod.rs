//! A letter, and the ways to post it.
//!
//! A [`Letter`] is one message to one address, written once as blocks and rendered as text and as HTML.
//! A [`Postman`] carries it: over SMTP, into a folder, or into a test's mailbox. On its way out it is signed (DKIM).
//! A [`Report`] is what comes back: that it could not be delivered, or that its reader complains.

mod dkim;
mod letter;
mod postman;
mod prose;
mod report;
mod smtp;

pub use dkim::{Signer, SignerError};
pub use letter::{Letter, OneClick, Sender, Spelling, on_the_wire};
pub use postman::{Failure, Hand, Mailbox, Postman, PostmanError, ReturnAddress};
pub use prose::Prose;
pub(crate) use prose::escape;
pub use report::{Fate, Report, is_dead, letter_of};
