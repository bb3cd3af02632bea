//! Public bodies, and the others who take part: networks, knowledge institutions, companies.
//!
//! An organisation has a validity in time and may have a successor: from 1 January 2027 Region Østdanmark
//! carries on what Region Hovedstaden and Region Sjælland were.

mod actions;
pub mod http;
pub mod import;
mod model;
pub mod store;

pub use actions::{add, change};
pub use model::{Kind, Organisation, OrganisationBody};
