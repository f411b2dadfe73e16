//! What is said of small histories.

use super::{Source, Transactions, Valid, json, terminal};
use crate::check::cycle::{Analysis, Order, Scope, analyze, find};
use crate::history::NodeName;
use crate::history::txn::notation::txns;
use crate::report::Look;

fn judge(text: &str, model: &str, order: Order) -> Transactions {
    let source = Source { file: "history.edn".to_owned(), format: "edn".to_owned(), order, is_cut: false };
    let txns = txns(text);
    let whole = analyze(&txns, Scope::Whole, order);
    let names = txns.nodes().iter().copied().filter(|_| txns.nodes().len() > 1);
    let alone: Vec<(NodeName, Analysis)> =
        names.zip(0..).map(|(name, node)| (name, analyze(&txns, Scope::Node(node), order))).collect();
    Transactions::new(&txns, &source, find(model).unwrap(), &whole, &alone)
}

const PLAIN: Look = Look { color: false, width: 100 };

#[test]
fn a_write_skew_is_explained() {
    let text = "0-9 1: rx ay1; 1-8 2@replica-1: ry ax1; 20-21 3: rx1 ry1";
    insta::assert_snapshot!(terminal(&judge(text, "serializable", Order::RealTime), PLAIN));
}

#[test]
fn a_verdict_has_three_values() {
    let skew = "0-9 rx ay1; 1-8 ry ax1; 20-21 rx1 ry1";
    let verdict = |text, model, order| {
        let found = judge(text, model, order);
        (found.valid, found.exit_code)
    };
    assert_eq!(verdict(skew, "serializable", Order::RealTime), (Valid::Refuted, 1));
    assert_eq!(verdict(skew, "strong-snapshot-isolation", Order::RealTime), (Valid::NotRefuted, 0));
    assert_eq!(verdict(skew, "strong-snapshot-isolation", Order::Session), (Valid::Unknown, 3));
    assert_eq!(verdict(skew, "strict-serializable", Order::Session), (Valid::Refuted, 1));
    assert_eq!(verdict("", "read-uncommitted", Order::RealTime), (Valid::Unknown, 3));
    assert_eq!(verdict("ax1; ax1; rx1", "read-uncommitted", Order::RealTime), (Valid::Unknown, 3));
}

#[test]
fn the_document_has_elles_names() {
    let found = judge("ax1; ay1; rx1 ry; rx ry1", "snapshot-isolation", Order::RealTime);
    let document: serde_json::Value = serde_json::from_str(&json(&found)).unwrap();
    let types = document["anomaly-types"].as_array().unwrap();
    assert!(types.contains(&"G-nonadjacent-item".into()), "{types:?}");
    assert!(document["also-not"].as_array().unwrap().contains(&"snapshot-isolation".into()));
    assert_eq!(document["valid"], "refuted");
}
