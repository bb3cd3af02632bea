//! A letter, and the ways to post it.
//!
//! A [`Letter`] is one message to one address, written once as blocks and rendered as text and as HTML.
//! A [`Postman`] carries it: over SMTP, into a folder, or into a test's mailbox.

mod letter;
mod postman;
mod prose;

pub use letter::{Letter, OneClick, Sender, Spelling};
pub use postman::{Failure, Mailbox, Postman, PostmanError};
pub use prose::Prose;
pub(crate) use prose::escape;
