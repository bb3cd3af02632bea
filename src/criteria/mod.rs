//! What a challenge is checked against: criteria sets, and the calls that choose among them.
//!
//! A criteria set is versioned data. [`assess`] holds evidence against one version and gives, for each criterion,
//! a verdict with reasons, the facts used, and the smallest change that would turn it. An assessment names the version
//! it used and is never rewritten. The machine checks; staff decides.
//!
//! Start reading at [`assess`]; the rules are in `rules.rs`, one function a criterion.

mod actions;
mod evidence;
pub mod http;
mod model;
mod plain;
mod rules;
pub mod store;

pub use actions::{add_version, announce};
pub use evidence::{
    Anchoring, Backing, Backings, Basis, Evidence, Recogniser, Reduction, ReductionKind, Scale, Side, Sponsor,
    TimeSavings,
};
pub use model::{
    Assessment, Call, CallBody, Change, CriteriaSet, CriteriaSetBody, Criterion, Outcome, Rule, Verdict, built_in,
};
pub use rules::assess;
