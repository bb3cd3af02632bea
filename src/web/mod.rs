//! What every HTTP slice needs: problems, bodies, replies, entity tags, idempotency, limits, the spec.
//!
//! Handlers translate and decide nothing. They take a [`Body`] (checked whole), give back a [`Reply`], and fail
//! with a [`Problem`]; the [frame](frame) around them adds what is the same everywhere.

mod body;
mod confirmation;
mod door;
mod forget;
pub mod frame;
pub mod idempotency;
mod json;
pub mod lines;
mod node;
pub mod openapi;
mod page;
mod problem;
mod query;
pub mod ready;
mod reply;
mod routes;

pub(crate) use body::require_type;
pub use body::{Body, IfMatch, MAX_BODY, OptionalBody, Patch, RawBody};
pub use confirmation::may_ask_to_confirm;
pub use forget::{ForgetDeed, ForgetForm, with_forget_buttons};
pub(crate) use json::{read_json, read_value};
pub use node::{Metrics, Node};
pub use page::{Field, HtmlPage, Prefers};
pub use problem::Problem;
pub use query::{Paging, PathId, Query};
pub use reply::{Reply, csv, etag, wants_csv};
pub use routes::{Description, Routes};
