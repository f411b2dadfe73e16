//! Session guarantees of each endpoint: read your writes, and monotonic reads.
//!
//! Definitions: Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", PDIS 1994. The values of
//! one key only grow, so *older* is *smaller*. A session is one connection of one reader: it ends with a failure
//! that ends the connection, and with an unknown outcome.

mod monotonic_reads;
mod read_your_writes;
mod staleness;

pub(super) use monotonic_reads::MonotonicReads;
pub(super) use read_your_writes::ReadYourWrites;

#[cfg(test)]
mod tests;
