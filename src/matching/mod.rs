//! Which needs are the same need, in whatever words, and why.
//!
//! ```text
//! Need ──read──▶ Profile ──put──▶ Index ──like──▶ Match ──why──▶ Reason
//!        words, concepts              candidates → compared → aligned → in company
//! ```
//!
//! A [`need::Need`] is read with the [`lexicon::Lexicon`] into a [`profile::Profile`]; the
//! [`index::Index`] keeps profiles by key and answers which are like one, each with a score that says how
//! likely it is the same need; [`explain`] says why, [`group`] bundles. All of that is pure: the same
//! needs give the same answers, whatever the order, the node or the hour. [`live`] keeps an index of the challenges
//! that bodies share. What people say of two challenges ([`verdict`]) outranks what is computed, for these two alone;
//! [`likely`] says who else probably has a need. Start reading in [`index`].
//!
//! A colleague adds a concept by writing one line in the file of its field (`lexicon/*.txt`, see [`lexicon::parse`]):
//!
//! ```text
//! nødkald: Et kald om hjælp | da: nødkald, trykker på knappen | en: emergency call | broader: sikkerhed
//! ```
//!
//! An operator adds to it without building anew, by the same lines in a file of their own (see [`lexicon::house`]).
//! [`find`] answers searches, [`concern`] whether a notice concerns somebody who described what they offer.
//!
//! `skala evaluate matching DIR` measures all of it on a labelled set; see [`evaluate`].

pub mod actions;
pub mod alignment;
pub mod atom;
pub mod company;
pub mod concern;
pub mod evaluate;
pub mod explain;
pub mod find;
pub mod group;
pub mod http;
pub mod index;
pub mod lexicon;
pub mod likely;
pub mod live;
pub mod need;
pub mod number;
pub mod profile;
pub mod score;
pub mod search;
pub mod space;
pub mod store;
pub mod text;
pub mod verdict;

#[cfg(test)]
mod tests;
