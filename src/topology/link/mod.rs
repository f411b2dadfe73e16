//! Links: ports of this machine that lead to others, and can be cut, slowed down and reset.
//!
//! A client that connects through a [`Link`] instead of directly can be cut off from its node without any privilege on
//! the machine: one link for the clients of a node and one for each of its peers make every partition. All links of a
//! cluster run on the one thread of [`Links`].
//!
//! A link works on streams, a network on packets. What that changes:
//!
//! * While a way is blocked, the link still accepts, where a network would leave a SYN unanswered. Nothing is answered to
//!   what the client then sends, and nothing reaches the target, not even the connection: a handshake needs both ways. A
//!   client that closes meanwhile is forgotten, as one that gave up connecting. To a PostgreSQL client, `connect` hangs
//!   either way, since it ends with the answer to the startup packet.
//! * What a block held back is delivered in order when it is lifted, at once: TCP sends it again, but may wait for up to
//!   two minutes before it does.
//! * A sender's system sees its bytes acknowledged until the link holds 1 MiB for it: `tcp_user_timeout` and keepalives
//!   do not notice a block, what waits for answers does (`wal_receiver_timeout`, `wal_sender_timeout`, a client's own).
//! * A target that refuses: the connection is accepted and then reset.
//! * Latency is that of the bytes. Making a connection takes none.
//! * The end of a stream and a reset are under way as bytes are, and blocked as they are. [`Link::reset`] is not.
//! * Times are kept to the timer's millisecond, and never early.

mod connection;
mod entry;
mod handle;
mod lane;
mod line;
mod links;
mod pump;
mod serve;
mod shape;
#[cfg(test)]
mod tests;
mod wire;

pub use handle::{Link, LinkClosed, Probe, State};
pub use links::Links;
pub use shape::{Both, Direction, Shape};
