//! Measures the matching on a labelled set, and its speed on many documents.

pub mod baseline;
pub mod labelled;
pub mod measures;
pub mod report;
pub mod speed;
