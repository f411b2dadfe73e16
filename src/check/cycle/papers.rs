//! Histories of the literature, each by its name: which models they refute, the weakest.
//!
//! Registers that the papers overwrite are lists here, whose last element is what was written, so that the order of versions
//! shows; a last reader tells it where nobody else does.

use super::tests::refuted;

const ADYA: &str = "Adya, Weak Consistency, MIT 1999";
const BERENSON: &str = "Berenson et al., A Critique of ANSI SQL Isolation Levels, SIGMOD 1995";
const CERONE: &str =
    "Cerone, Bernardi and Gotsman, A Framework for Transactional Consistency Models, CONCUR 2015";
const ELLE: &str = "Kingsbury and Alvaro, Elle, VLDB 2020";
const FEKETE: &str = "Fekete, O'Neil and O'Neil, A Read-Only Transaction Anomaly, SIGMOD Record 2004";
const BAILIS: &str = "Bailis et al., Scalable Atomic Visibility with RAMP Transactions, SIGMOD 2014";
const SOVRAN: &str = "Sovran et al., Transactional Storage for Geo-Replicated Systems, SOSP 2011";
const TERRY: &str = "Terry et al., Session Guarantees for Weakly Consistent Replicated Data, PDIS 1994";
const HERLIHY: &str = "Herlihy and Wing, Linearizability, TOPLAS 1990; Papadimitriou, JACM 1979";

/// Where from, what it is called there, the history, and the weakest models that it refutes.
const HISTORIES: [(&str, &str, &str, &str); 30] = [
    (ADYA, "H-serial", "az1 ax1 ay1; rx1 ay2; ax3 ry12 az3; rx13 ry12 rz13", ""),
    (ADYA, "H-wcycle (G0)", "ax1 ay1; ax2 ay2; rx12 ry21", "read-uncommitted"),
    (ADYA, "H1a, aborted read (G1a)", "ax1 !; rx1", "read-committed"),
    (ADYA, "H1b, intermediate read (G1b)", "ax1 ax2; rx1; rx12", "read-committed"),
    (ADYA, "H1c, circular information flow (G1c)", "ax1 ry2; ay2 rx1", "read-committed"),
    (ADYA, "H-skew, read skew (G-single)", "rx ry2; ax2 ay2", "read-atomic, repeatable-read"),
    (ADYA, "H-lost, lost update", "rx ax1; rx ax2; rx12", "repeatable-read, parallel-snapshot-isolation"),
    (ADYA, "H-write-skew (G2-item)", "rx ry ax1; rx ry ay1; rx1 ry1", "repeatable-read"),
    (BERENSON, "P0, dirty write", "ax1 ay1; ax2 ay2; rx21 ry12", "read-uncommitted"),
    (BERENSON, "P1, dirty read", "ax1 !; rx1 ay1", "read-committed"),
    (BERENSON, "P2, non-repeatable read", "rx rx1; ax1", "read-atomic, repeatable-read"),
    (BERENSON, "P4, lost update", "rx ax1; rx ax2; rx21", "repeatable-read, parallel-snapshot-isolation"),
    (BERENSON, "A5A, read skew", "rx ry1; ax1 ay1", "read-atomic, repeatable-read"),
    (BERENSON, "A5B, write skew", "rx ry ay1; rx ry ax1; rx1 ry1", "repeatable-read"),
    (CERONE, "fractured reads", "ax1 ay1; rx1 ry", "read-atomic, repeatable-read"),
    (
        CERONE,
        "causality violation",
        "ax1; rx1 ay1; ry1 rx",
        "causal, repeatable-read, parallel-snapshot-isolation, prefix",
    ),
    (CERONE, "lost update", "rx ax5; rx ax7; rx57", "repeatable-read, parallel-snapshot-isolation"),
    (CERONE, "long fork", "ax1; ay1; rx1 ry; ry1 rx", "repeatable-read, prefix"),
    (CERONE, "write skew", "rx ry ax2; rx ry ay2; rx2 ry2", "repeatable-read"),
    (
        ELLE,
        "TiDB 2.1.7: a read missed an append that the next version builds on",
        "ax2; ax1; rx21 ay5 ax4; ax5; rx2154 ry5",
        "repeatable-read, parallel-snapshot-isolation",
    ),
    (ELLE, "FaunaDB 2.6.0: a transaction misses its own append", "ax6 rx; rx6", "read-atomic"),
    (ELLE, "YugaByte DB 1.3.1: each misses the other's append", "rx ay1; ry ax1; rx1 ry1", "repeatable-read"),
    (FEKETE, "the reader's anomaly", "rx ry ax2; ry ay1; rx ry1; rx2 ry1", "repeatable-read"),
    (FEKETE, "the same without the reader", "rx ry ax2; ry ay1; rx2 ry1", ""),
    (BAILIS, "fractured reads of three", "ax1 ay1 az1; rx1 ry1 rz", "read-atomic, repeatable-read"),
    (
        SOVRAN,
        "long fork, which parallel snapshot isolation allows",
        "rz ax1; rz ay1; rx1 ry; rx ry1",
        "repeatable-read, prefix",
    ),
    (TERRY, "read your writes", "0-1 1: ax1; 2-3 1: rx; 4-5 2: rx1", "read-your-writes"),
    (TERRY, "monotonic reads", "0-1 1: ax1; 2-3 2: rx1; 4-5 2: rx; 6-7 3: rx1", "monotonic-reads"),
    (
        HERLIHY,
        "serializable, and not strictly so",
        "0-1 1: ax1; 2-3 2: rx; 4-5 3: rx1",
        "strong-snapshot-isolation, strong-prefix",
    ),
    (HERLIHY, "strictly serializable: concurrent, either way", "0-5 1: ax1; 1-2 2: rx; 3-4 3: rx1", ""),
];

#[test]
fn papers_say_what_is_wrong() {
    let wrong: Vec<String> = HISTORIES
        .iter()
        .filter(|(_, _, text, expected)| refuted(text) != *expected)
        .map(|(from, name, text, expected)| {
            format!("{name} ({from}): {text}\n    {}\n    expected: {expected}", refuted(text))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
