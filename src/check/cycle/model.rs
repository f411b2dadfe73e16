//! Consistency models as data: what each forbids, and which weaker ones it contains.
//!
//! Names are those of Elle and of Jepsen's map of models (Bailis et al., *Highly Available Transactions*, VLDB 2014; Adya,
//! *Weak Consistency*, MIT 1999; Cerone, Bernardi and Gotsman, CONCUR 2015). Reads of predicates are not part of a history,
//! so `repeatable-read` and `serializable` differ in nothing but what else they contain.

use super::anomaly::{Anomaly, Order, Shape};

/// A consistency model.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: &'static str,
    /// In one sentence, for someone who has never heard of it.
    pub meaning: &'static str,
    /// The models it contains: who refutes one of them refutes it, too.
    pub contains: &'static [&'static str],
    /// Cycles that it forbids: these shapes and lesser ones, with this order or less.
    pub cycles: Option<(Shape, Order)>,
    /// What else it forbids.
    pub forbids: &'static [Anomaly],
}

impl Model {
    /// Whether `anomaly` refutes this model by itself.
    pub fn forbids(&self, anomaly: Anomaly) -> bool {
        let is_forbidden_cycle = match (anomaly, self.cycles) {
            (Anomaly::Cycle(shape, order), Some((most, with))) => shape <= most && order <= with,
            _ => false,
        };
        is_forbidden_cycle || self.forbids.contains(&anomaly)
    }

    /// The order that a history has to tell of, so that this model can be judged.
    pub fn order(&self) -> Order {
        let of = |anomaly: &Anomaly| match anomaly {
            Anomaly::Cycle(_, order) => *order,
            LostWrite | StaleRead => RealTime,
            MonotonicReads | ReadYourWrites | MonotonicWrites | WritesFollowReads => Session,
            _ => Data,
        };
        let forbidden = self.forbids.iter().map(of).max().unwrap_or(Data);
        self.cycles.map_or(Data, |(_, order)| order).max(forbidden)
    }
}

const fn model(
    name: &'static str,
    contains: &'static [&'static str],
    cycles: Option<(Shape, Order)>,
    forbids: &'static [Anomaly],
    meaning: &'static str,
) -> Model {
    Model { name, meaning, contains, cycles, forbids }
}

use Anomaly::{
    CyclicVersions, DirtyUpdate, DuplicateElements, FutureRead, G1a, G1b, GarbageRead, IncompatibleOrder,
    Internal, LostUpdate, LostWrite, MonotonicReads, MonotonicWrites, ReadYourWrites, StaleRead,
    WritesFollowReads,
};
use Order::{Data, RealTime, Session};
use Shape::{G0, G1c, G2Item, GNonadjacent, GSingle};

/// All of them; a model stands after those that it contains.
pub const MODELS: [Model; 24] = [
    model(
        "read-uncommitted",
        &[],
        Some((G0, Data)),
        &[DuplicateElements, CyclicVersions, GarbageRead],
        "Writes of two transactions are not interleaved, and what is read was written by somebody.",
    ),
    model(
        "read-committed",
        &["read-uncommitted"],
        Some((G1c, Data)),
        &[G1a, G1b, DirtyUpdate, FutureRead, IncompatibleOrder],
        "What is read was committed, and was not replaced by its own transaction.",
    ),
    model(
        "monotonic-reads",
        &[],
        None,
        &[MonotonicReads],
        "A process never sees an older version of something than it has already seen.",
    ),
    model("read-your-writes", &[], None, &[ReadYourWrites], "A process sees its own writes."),
    model(
        "monotonic-writes",
        &[],
        None,
        &[MonotonicWrites],
        "A process's writes take effect in the order in which it made them.",
    ),
    model(
        "writes-follow-reads",
        &[],
        None,
        &[WritesFollowReads],
        "What a process writes comes after what it had read.",
    ),
    model(
        "read-atomic",
        &["read-committed"],
        None,
        &[Internal, Anomaly::Cycle(Shape::Fractured, Data)],
        "Of another transaction's writes, a transaction sees all or none.",
    ),
    model(
        "causal",
        &["read-atomic", "monotonic-reads", "read-your-writes", "monotonic-writes", "writes-follow-reads"],
        Some((G1c, Session)),
        &[Anomaly::Cycle(Shape::Causal, Session)],
        "Who sees something also sees everything that could have been its cause.",
    ),
    model(
        "repeatable-read",
        &["read-committed"],
        Some((G2Item, Data)),
        &[LostUpdate],
        "What was read stays as it is until the transaction ends (Adya's PL-2.99; PostgreSQL's level of this name is snapshot isolation).",
    ),
    model(
        "parallel-snapshot-isolation",
        &["read-atomic"],
        Some((GSingle, Data)),
        &[LostUpdate],
        "Each transaction reads from a snapshot, and no two concurrent ones write the same; snapshots need not agree on an order.",
    ),
    model(
        "prefix",
        &["read-atomic"],
        None,
        &[Anomaly::Cycle(Shape::Prefix, Data)],
        "Each transaction reads from a snapshot, and all snapshots agree on one order of commits.",
    ),
    model(
        "snapshot-isolation",
        &["parallel-snapshot-isolation", "prefix"],
        Some((GNonadjacent, Data)),
        &[],
        "Each transaction reads from a snapshot, all snapshots agree on one order of commits, and no two concurrent transactions write the same.",
    ),
    model(
        "serializable",
        &["snapshot-isolation", "repeatable-read"],
        Some((G2Item, Data)),
        &[],
        "As if one transaction ran after the other.",
    ),
    model(
        "strong-session-PL-1",
        &["read-uncommitted", "monotonic-writes"],
        Some((G0, Session)),
        &[],
        "Read uncommitted, and each process's transactions in their order.",
    ),
    model(
        "strong-session-PL-2",
        &["read-committed", "strong-session-PL-1", "writes-follow-reads"],
        Some((G1c, Session)),
        &[],
        "Read committed, and each process's transactions in their order.",
    ),
    model(
        "strong-session-parallel-snapshot-isolation",
        &["parallel-snapshot-isolation", "strong-session-PL-2", "causal"],
        Some((GSingle, Session)),
        &[],
        "Parallel snapshot isolation, and each process's transactions in their order (Cerone's PSI).",
    ),
    model(
        "strong-session-prefix",
        &["prefix", "causal"],
        None,
        &[Anomaly::Cycle(Shape::Prefix, Session)],
        "Prefix, and each process's transactions in their order (Cerone's PC).",
    ),
    model(
        "strong-session-snapshot-isolation",
        &["snapshot-isolation", "strong-session-parallel-snapshot-isolation", "strong-session-prefix"],
        Some((GNonadjacent, Session)),
        &[],
        "Snapshot isolation, and each process's snapshots in their order.",
    ),
    model(
        "strong-session-serializable",
        &["serializable", "strong-session-snapshot-isolation"],
        Some((G2Item, Session)),
        &[],
        "Serializable, and each process's transactions in their order.",
    ),
    model(
        "strong-PL-1",
        &["strong-session-PL-1"],
        Some((G0, RealTime)),
        &[LostWrite],
        "Read uncommitted, and an acknowledged write comes before those that begin after it.",
    ),
    model(
        "strong-PL-2",
        &["strong-session-PL-2", "strong-PL-1"],
        Some((G1c, RealTime)),
        &[],
        "Read committed, and nothing takes effect before what had been acknowledged when it began.",
    ),
    model(
        "strong-snapshot-isolation",
        &["strong-session-snapshot-isolation", "strong-PL-2"],
        Some((GNonadjacent, RealTime)),
        &[StaleRead],
        "Snapshot isolation, and every snapshot holds all that had been acknowledged when it was taken.",
    ),
    model(
        "strong-prefix",
        &["strong-session-prefix", "strong-PL-2"],
        None,
        &[Anomaly::Cycle(Shape::Prefix, RealTime), StaleRead],
        "Prefix, and every snapshot holds all that had been acknowledged when it was taken.",
    ),
    model(
        "strict-serializable",
        &["strong-session-serializable", "strong-snapshot-isolation", "strong-prefix"],
        Some((G2Item, RealTime)),
        &[],
        "As if one transaction ran after the other, each at some moment between its begin and its end.",
    ),
];

/// The model called `name`; some have more than one name.
pub fn find(name: &str) -> Option<&'static Model> {
    let name = name.to_ascii_lowercase().replace([' ', '_'], "-");
    let name = match name.as_str() {
        "pl-1" => "read-uncommitted",
        "pl-2" => "read-committed",
        "pl-2.99" => "repeatable-read",
        "pl-si" | "si" => "snapshot-isolation",
        "pl-3" | "serializability" => "serializable",
        "pl-ss" | "strong-serializable" | "strict-serializability" | "strict-serial" => "strict-serializable",
        "psi" => "parallel-snapshot-isolation",
        "causal-consistency" => "causal",
        "strong-pl-1" | "strong-read-uncommitted" => "strong-PL-1",
        "strong-pl-2" | "strong-read-committed" => "strong-PL-2",
        "strong-session-pl-1" | "strong-session-read-uncommitted" => "strong-session-PL-1",
        "strong-session-pl-2" | "strong-session-read-committed" => "strong-session-PL-2",
        other => other,
    };
    MODELS.iter().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_each_of_its_names() {
        for model in &MODELS {
            assert_eq!(find(model.name), Some(model));
        }
        for (name, model) in [
            ("PL-SI", "snapshot-isolation"),
            ("Strong read committed", "strong-PL-2"),
            ("PL-2.99", "repeatable-read"),
        ] {
            assert_eq!(find(name).map(|found| found.name), Some(model));
        }
        assert_eq!(find("eventual"), None);
    }

    #[test]
    fn a_model_stands_after_those_it_contains() {
        for (place, model) in MODELS.iter().enumerate() {
            for contained in model.contains {
                let before = MODELS.iter().position(|other| other.name == *contained);
                assert!(before.is_some_and(|before| before < place), "{}: {contained}", model.name);
            }
        }
    }
}
