//! The vocabulary every part of the service shares. It knows nothing of challenges or suppliers:
//! only what an id, a CVR number, a CPV code, a page or a moment in time is.

mod clock;
mod cpv;
pub mod csv;
mod cvr;
mod email;
mod fit;
mod id;
mod money;
mod network;
mod nuts;
mod packed;
mod page;
pub mod privacy;
mod seal;
mod text;

pub use clock::{Clock, Instant, copenhagen, copenhagen_span, copenhagen_text, day_text};
pub use cpv::Cpv;
pub use cvr::Cvr;
pub use email::Email;
pub use fit::{Fit, Fitting, Flaw, Flaws};
pub use id::{Id, OrganisationId, UserId, of};
pub use money::{Currency, Money, Quantity};
pub use network::Network;
pub use nuts::Nuts;
pub use packed::unpack;
pub use page::{Cursor, Direction, Page, PageRequest};
pub use seal::{DeadLink, Seal, SealedFor, digest, random_token};
pub(crate) use text::text;
pub use text::{Language, Text, figure, fold, hours_text};
