//! What can be wrong with a history of transactions, by the names that the field uses.

use std::fmt;

use serde::{Serialize, Serializer};

/// Which orders beside the data's close a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// None: what was read and written is enough.
    Data,
    /// A process's own transactions follow each other.
    Session,
    /// What had completed comes before what was invoked afterwards.
    RealTime,
}

impl Order {
    /// The weakest first.
    pub const ALL: [Order; 3] = [Order::Data, Order::Session, Order::RealTime];

    fn suffix(self) -> &'static str {
        match self {
            Order::Data => "",
            Order::Session => "-process",
            Order::RealTime => "-realtime",
        }
    }
}

/// The shape of a cycle of dependencies (Adya, *Weak Consistency*, MIT 1999; Cerone, Bernardi and Gotsman, *A Framework
/// for Transactional Consistency Models with Atomic Visibility*, CONCUR 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Writes only.
    G0,
    /// Writes and reads, no anti-dependency.
    G1c,
    /// One anti-dependency, closed by one transaction that wrote both of what was read, and only half of it was seen.
    Fractured,
    /// One anti-dependency, closed by what the reader had seen, or its session, or those that it had seen from.
    Causal,
    /// Exactly one anti-dependency.
    GSingle,
    /// Several, each right after a read or a session's step.
    Prefix,
    /// Several, no two in a row.
    GNonadjacent,
    /// Several, two of them in a row.
    G2Item,
}

/// An anomaly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// A cycle.
    Cycle(Shape, Order),
    /// A read of what a transaction wrote that did not commit.
    G1a,
    /// A read of what a transaction wrote and replaced itself.
    G1b,
    /// A transaction does not see what it has itself written or read.
    Internal,
    /// A transaction reads what it writes only later.
    FutureRead,
    /// A committed write on top of one that did not commit.
    DirtyUpdate,
    /// Two transactions replace the same version that both have read.
    LostUpdate,
    /// An element is in a list twice.
    DuplicateElements,
    /// Two lists of a key, neither of which is the beginning of the other.
    IncompatibleOrder,
    /// The versions of a key have no order.
    CyclicVersions,
    /// A value that nobody wrote.
    GarbageRead,
    /// An acknowledged append that is missing where a later one is.
    LostWrite,
    /// A read that misses what had been acknowledged before it began.
    StaleRead,
    /// A process goes back to an older version.
    MonotonicReads,
    /// A process does not see its own write.
    ReadYourWrites,
    /// A process's writes in another order than it made them.
    MonotonicWrites,
    /// A process's write before the version that it had read.
    WritesFollowReads,
}

impl Anomaly {
    /// As Elle calls it, where Elle knows it.
    pub fn name(self) -> String {
        let name = match self {
            Anomaly::Cycle(shape, order) => {
                let shape = match shape {
                    Shape::G0 => "G0",
                    Shape::G1c => "G1c",
                    Shape::Fractured => "fractured-read",
                    Shape::Causal => "causality-violation",
                    Shape::GSingle => "G-single-item",
                    Shape::Prefix => "prefix-violation",
                    Shape::GNonadjacent => "G-nonadjacent-item",
                    Shape::G2Item => "G2-item",
                };
                return format!("{shape}{}", order.suffix());
            }
            Anomaly::G1a => "G1a",
            Anomaly::G1b => "G1b",
            Anomaly::Internal => "internal",
            Anomaly::FutureRead => "future-read",
            Anomaly::DirtyUpdate => "dirty-update",
            Anomaly::LostUpdate => "lost-update",
            Anomaly::DuplicateElements => "duplicate-elements",
            Anomaly::IncompatibleOrder => "incompatible-order",
            Anomaly::CyclicVersions => "cyclic-versions",
            Anomaly::GarbageRead => "garbage-read",
            Anomaly::LostWrite => "lost-write",
            Anomaly::StaleRead => "stale-read",
            Anomaly::MonotonicReads => "monotonic-reads",
            Anomaly::ReadYourWrites => "read-your-writes",
            Anomaly::MonotonicWrites => "monotonic-writes",
            Anomaly::WritesFollowReads => "writes-follow-reads",
        };
        name.to_owned()
    }
}

impl Anomaly {
    /// In one sentence, for someone who has never heard of it.
    pub fn meaning(self) -> &'static str {
        match self {
            Anomaly::Cycle(shape, _) => match shape {
                Shape::G0 => "Transactions overwrote each other's writes in a circle.",
                Shape::G1c => {
                    "Transactions saw each other's writes in a circle: none of them can have been first."
                }
                Shape::Fractured => {
                    "A transaction saw one of another's writes and missed another one of them."
                }
                Shape::Causal => "A transaction missed a write that lies in the past of something it saw.",
                Shape::GSingle => "A transaction missed a write and saw its consequences (read skew).",
                Shape::Prefix => "Transactions saw commits in different orders.",
                Shape::GNonadjacent => {
                    "Transactions missed writes that the others saw: no one order of commits explains all their snapshots (long fork)."
                }
                Shape::G2Item => "Transactions each missed the other's write (write skew).",
            },
            Anomaly::G1a => "A transaction saw what another one wrote that did not commit.",
            Anomaly::G1b => {
                "A transaction saw what another one wrote and replaced itself before it committed."
            }
            Anomaly::Internal => "A transaction did not see what it had itself written or read.",
            Anomaly::FutureRead => "A transaction saw what it wrote only later.",
            Anomaly::DirtyUpdate => "A committed write is built on one that did not commit.",
            Anomaly::LostUpdate => "Two committed transactions replaced the same version that both had read.",
            Anomaly::DuplicateElements => {
                "An element was appended once and is there twice: a write was applied again."
            }
            Anomaly::IncompatibleOrder => "Two reads saw the writes of a key in different orders.",
            Anomaly::CyclicVersions => "The versions of a key follow each other in a circle.",
            Anomaly::GarbageRead => "A value was read that nobody wrote.",
            Anomaly::LostWrite => "A write was acknowledged and is missing where a later one is there.",
            Anomaly::StaleRead => "A read missed a write that had been acknowledged before it began.",
            Anomaly::MonotonicReads => "A process saw an older version than it had already seen.",
            Anomaly::ReadYourWrites => "A process did not see its own earlier write.",
            Anomaly::MonotonicWrites => "A process's writes took effect in another order than it made them.",
            Anomaly::WritesFollowReads => "A process's write took effect before something that it had read.",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

impl Serialize for Anomaly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}
