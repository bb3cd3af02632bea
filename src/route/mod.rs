//! Which route? From a few answers to the ways in which something new may be developed and bought: what speaks for
//! each, what against, the provision it rests on, and what must be known before it can be told.
//!
//! It is guidance, not legal advice. What is not answered is never guessed at: a route hangs on it ("unclear") until it
//! is. The EU's thresholds are dated data that an operator loads; a period without a figure has none.

pub mod http;
mod model;
mod rules;
pub mod store;
mod threshold;

pub use model::{Advice, Authority, Development, Nature, Party, Question, Questions, RouteAdvice, Verdict, YesNo};
pub use threshold::{Threshold, ThresholdAuthority, ThresholdCategory, load};
