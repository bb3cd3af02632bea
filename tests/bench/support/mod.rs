//! What the benchmarks share.

#![allow(dead_code, reason = "each benchmark uses its part")]

pub mod database;
pub mod fill;
pub mod load;
pub mod postgres;
pub mod server;
pub mod skala;
