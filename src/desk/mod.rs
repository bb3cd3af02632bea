//! What waits for whom. CO-PI's staff have one queue of all that waits for them, longest first, and decide on many at
//! once; every body has a list of what it must do next.

pub mod http;
