//! One feed of all that changed and the reader may see, oldest first.
//!
//! Everything carries the number of its newest change. A page first looks up the newest number that is visible, and
//! reads each kind up to it: whatever is written meanwhile has a larger number and comes on a later page. So no row is
//! missed, and none comes again unless it changed again.

pub mod http;
