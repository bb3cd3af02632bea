//! Public bodies, and the others who take part: networks, knowledge institutions, companies.
//!
//! An organisation has a validity in time and may have a successor: from 1 January 2027 Region Østdanmark
//! carries on what Region Hovedstaden and Region Sjælland were. How that happens is the work of [`crate::succession`].

mod actions;
pub mod http;
pub mod import;
mod model;
pub mod store;

pub use actions::{add, cancel_succession, change, plan_succession};
pub use model::{Handover, Kind, Organisation, OrganisationBody};
