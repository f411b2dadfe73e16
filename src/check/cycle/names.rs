//! Anomalies by the names that people give them.

use super::anomaly::{Anomaly, Order, Shape};

/// Names that are not [`Anomaly::name`]'s, and which of those they stand for (Berenson et al., *A Critique of ANSI SQL
/// Isolation Levels*, SIGMOD 1995, and whoever wrote after them).
pub const ALIASES: [(&str, &str); 17] = [
    ("dirty-write", "G0"),
    ("dirty-read", "G1a"),
    ("aborted-read", "G1a"),
    ("intermediate-read", "G1b"),
    ("circular-information-flow", "G1c"),
    ("fractured-reads", "fractured-read"),
    ("causality-violation", "causality-violation-process"),
    ("read-skew", "G-single-item"),
    ("G-single", "G-single-item"),
    ("long-fork", "G-nonadjacent-item"),
    ("G-nonadjacent", "G-nonadjacent-item"),
    ("write-skew", "G2-item"),
    ("G2", "G2-item"),
    ("lost-updates", "lost-update"),
    ("P4", "lost-update"),
    ("lost-writes", "lost-write"),
    ("stale-reads", "stale-read"),
];

const SHAPES: [Shape; 8] = [
    Shape::G0,
    Shape::G1c,
    Shape::Fractured,
    Shape::Causal,
    Shape::GSingle,
    Shape::Prefix,
    Shape::GNonadjacent,
    Shape::G2Item,
];

const OTHERS: [Anomaly; 16] = [
    Anomaly::G1a,
    Anomaly::G1b,
    Anomaly::Internal,
    Anomaly::FutureRead,
    Anomaly::DirtyUpdate,
    Anomaly::LostUpdate,
    Anomaly::DuplicateElements,
    Anomaly::IncompatibleOrder,
    Anomaly::CyclicVersions,
    Anomaly::GarbageRead,
    Anomaly::LostWrite,
    Anomaly::StaleRead,
    Anomaly::MonotonicReads,
    Anomaly::ReadYourWrites,
    Anomaly::MonotonicWrites,
    Anomaly::WritesFollowReads,
];

impl Anomaly {
    /// All that are looked for, the gravest first.
    pub fn all() -> Vec<Anomaly> {
        let cycles = SHAPES.iter().flat_map(|&shape| {
            let orders = match shape {
                // Those are shown by what was read, with one order each.
                Shape::Fractured => &[Order::Data][..],
                Shape::Causal => &[Order::Session],
                _ => &Order::ALL,
            };
            orders.iter().map(move |&order| Anomaly::Cycle(shape, order))
        });
        cycles.chain(OTHERS).collect()
    }

    /// The one of that name, in any case, or of that [alias](ALIASES).
    pub fn named(name: &str) -> Option<Anomaly> {
        let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
        let name = alias.map_or(name, |(_, name)| name);
        Anomaly::all().into_iter().find(|anomaly| anomaly.name().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_understood() {
        let all = Anomaly::all();
        assert!(all.is_sorted() && all.len() == 36, "{}", all.len());
        for anomaly in all {
            assert_eq!(Anomaly::named(&anomaly.name()), Some(anomaly));
            assert_eq!(Anomaly::named(&anomaly.name().to_uppercase()), Some(anomaly));
        }
        for (alias, name) in ALIASES {
            assert_eq!(Anomaly::named(alias).map(Anomaly::name).as_deref(), Some(name));
        }
        assert_eq!(Anomaly::named("write-skew"), Some(Anomaly::Cycle(Shape::G2Item, Order::Data)));
        assert_eq!(Anomaly::named("skew"), None);
    }
}
