//! What is said of small histories.

use super::{AnomalyReport, Said, Source, Transactions, Valid, dot, html, json, section, svg, terminal};
use crate::check::cycle::{Analysis, Order, Scope, analyze, find};
use crate::history::txn::notation::txns;
use crate::history::txn::{Builder, Seen, Status};
use crate::history::{Nanos, NodeName};
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

const FORK: &str = "0-5 0: ax1; 1-6 1: ay1; 2-9 2@replica-1: rx1 ry; 3-8 3@replica-2: rx ry1";
const SKEW: &str = "0-9 1: rx ay1; 1-8 2@replica-1: ry ax1; 20-21 3: rx1 ry1";

fn anomaly<'a>(found: &'a Transactions, name: &str) -> &'a AnomalyReport {
    found.anomalies.iter().find(|anomaly| anomaly.name == name).unwrap()
}

/// `T1 > T2: rw x 1→2`.
fn edges(found: &Transactions, name: &str) -> Vec<String> {
    let anomaly = anomaly(found, name);
    let name = |place: u32| anomaly.transactions[place as usize].name.clone();
    anomaly
        .edges
        .iter()
        .map(|edge| format!("{} > {}: {}", name(edge.from), name(edge.to), edge.label()))
        .collect()
}

#[test]
fn a_counter_example_has_its_dependencies() {
    let of = |text: &str, name: &str| edges(&judge(text, "serializable", Order::RealTime), name);
    assert_eq!(
        of(FORK, "prefix-violation"),
        ["T1 > T2: rw y []→1", "T2 > T3: wr y 1", "T3 > T4: rw x []→1", "T4 > T1: wr x 1"]
    );
    assert_eq!(of(SKEW, "G2-item"), ["T1 > T2: rw x []→1", "T2 > T1: rw y []→1"]);
    assert_eq!(of("ax1 ax2; ax3; rx132", "G0"), ["T1 > T2: ww x 1→3", "T2 > T1: ww x 3→2"]);
    assert_eq!(of("wx1 !; gx1", "G1a"), ["T2 > T1: wr x 1"]);
    assert_eq!(of("0-1 wx1; 5-6 gx", "stale-read"), ["T1 > T2: rw x nothing→1", "T2 > T1: realtime 4.00 ms"]);
    assert_eq!(of("0-1 7: ax1; 5-6 7: rx", "read-your-writes"), ["T1 > T2: rw x []→1", "T2 > T1: process 7"]);
    let found = judge(SKEW, "serializable", Order::RealTime);
    let decisive: Vec<&[u32]> =
        anomaly(&found, "G2-item").transactions.iter().map(|step| &step.decisive[..]).collect();
    assert_eq!(decisive, [&[0, 1][..], &[0, 1]]);
}

#[test]
fn what_no_endpoint_shows_alone_is_said_in_every_format() {
    let found = judge(FORK, "strict-serializable", Order::RealTime);
    let together = found.together.as_ref().unwrap();
    assert_eq!(
        together.sentence,
        "Each endpoint is snapshot isolated, as far as its readers saw; together they are not: long fork (prefix-violation) in 1 place."
    );
    for text in [terminal(&found, PLAIN), html(&found), json(&found)] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&together.sentence) && text.contains("read both from one endpoint"), "{text}");
    }
    // Where one endpoint alone shows it, or there is only one, or nothing is wrong.
    for text in [
        "0-9 1: rx ay1; 1-8 2: ry ax1; 20-21 3@replica-1: rx1 ry1",
        "0-5 0: ax1; 1-6 1: ay1; 2-9 2@replica-1: rx1 ry; 3-8 3@replica-1: rx ry1",
        "0-5 0: ax1; 1-6 1: ay1; 2-9 2: rx1 ry; 3-8 3: rx ry1",
        "0-1 0: ax1; 2-3 2@replica-1: rx1",
    ] {
        let found = judge(text, "strict-serializable", Order::RealTime);
        assert_eq!(found.together.as_ref().map(|one| &one.sentence), None, "{text}");
        assert!(!html(&found).contains("together they"), "{text}");
    }
}

#[test]
fn an_endpoint_that_is_weaker_than_the_model_is_not_praised() {
    // Each endpoint is snapshot isolated, but replica-1 is stale: nobody says that it is strict.
    let found = judge(&format!("{FORK}; 20-21 4@replica-1: rx1 ry"), "strict-serializable", Order::RealTime);
    let replica = found.nodes.iter().find(|node| node.name == "replica-1").unwrap();
    assert!(!replica.not_refuted.contains(&"strict-serializable".to_owned()));
    assert!(replica.not_refuted.contains(&"snapshot-isolation".to_owned()));
    assert_eq!(found.together.unwrap().model, "snapshot-isolation");
}

#[test]
fn a_picture_is_of_the_gravest_or_of_the_one_that_is_named() {
    let found = judge(FORK, "strict-serializable", Order::RealTime);
    let gravest = svg(&found, None).unwrap();
    assert!(gravest.contains(">prefix-violation</text>"), "{gravest}");
    assert_eq!(gravest.matches("class=\"lane\"").count(), 4);
    assert_eq!(gravest.matches("class=\"label\"").count(), 4 + 2, "four arrows, and two kinds in the legend");
    assert!(svg(&found, Some("G-nonadjacent-item")).unwrap().contains(">G-nonadjacent-item</text>"));
    assert_eq!((svg(&found, Some("G0")), dot(&found, Some("G0"))), (None, None));
    let clean = judge("ax1; rx1", "serializable", Order::RealTime);
    assert!(svg(&clean, None).unwrap().contains("No anomaly to draw"));
    assert!(html(&clean).contains("None was found."));
    let clusters = |name| dot(&found, name).unwrap().matches("subgraph").count();
    assert_eq!((clusters(None), clusters(Some("prefix-violation"))), (2, 1));
}

#[test]
fn a_ring_of_many_transactions_says_what_it_leaves_out() {
    let mut found = judge(FORK, "strict-serializable", Order::RealTime);
    let anomaly = &mut found.anomalies[0];
    let step = anomaly.transactions[0].clone();
    anomaly.transactions.extend(std::iter::repeat_n(step, 40));
    let edge = anomaly.edges[0].clone();
    anomaly.edges.push(super::Edge { from: 3, to: 40, ..edge });
    let text = svg(&found, None).unwrap();
    assert_eq!(text.matches("class=\"lane\"").count(), 32);
    assert!(text.contains("The first 32 of 44 transactions"), "{text}");
}

#[test]
fn what_a_run_sent_stands_below_each_operation() {
    let mut found = judge(FORK, "strict-serializable", Order::RealTime);
    let bare = section(&found, "").into_string();
    found.annotate(|id| Said { sql: vec![format!("SELECT {id}")], xid: Some(7), lsn: None });
    let with = section(&found, "").into_string();
    // The second operation has no statement here, and stands as it did.
    let begin =
        "BEGIN;\n  -- <strong>read x as [1]</strong>\n  SELECT 2;\n  <strong>read y as []</strong>\nCOMMIT;";
    assert!(with.contains(begin), "{with}");
    assert!(with.contains(", xid 7") && !bare.contains("SELECT") && !bare.contains("xid"));
    assert!(
        json(&found).contains("\"sql\": [")
            && !json(&judge(FORK, "serializable", Order::RealTime)).contains("sql")
    );
}

#[test]
fn the_page_has_all_of_it() {
    let found = judge(FORK, "strict-serializable", Order::RealTime);
    let page = html(&found);
    for model in &found.models {
        assert!(page.contains(&model.name), "{}", model.name);
    }
    let embedded = section(&found, "").into_string();
    for part in [
        "T1 &lt; T2, because T1 read y as [] and did not see T2's append of 1",
        "How often",
        "-- T1 = transaction 2, process 2 on replica-1, 2.000 to 9.000 ms\nBEGIN;\n  <strong>read x as [1]</strong>",
        "refuted first",
        "refuted with them",
        "not refuted",
        "Each node's readers alone",
        "Reads by a condition",
    ] {
        let is_there = |text: &str| text.to_lowercase().contains(&part.to_lowercase());
        assert!(is_there(&page) && is_there(&embedded), "{part}: {page}");
    }
    assert!(page.contains("replab check history.edn --input edn --model strict-serializable"));
    assert!(!embedded.contains("<html") && !embedded.contains("Repeat"), "a part of another page");
    assert!(!page.contains("NaN"));
    // Two of them in one page have anchors of their own.
    let other = section(&found, "other-").into_string();
    let anchors = |text: &str| -> Vec<String> {
        text.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    assert!(!anchors(&other).is_empty() && anchors(&other).iter().all(|id| id.starts_with("other-")));
    assert!(other.contains("href=\"#other-anomaly-prefix-violation\""));
    // Every link within the page leads somewhere.
    for target in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{target}\"")), "#{target}");
    }
}

#[test]
fn a_history_without_times_tells_none() {
    let found = judge("1: rx ay1; 2: ry ax1", "serializable", Order::Session);
    let section = section(&found, "").into_string();
    for text in [terminal(&found, PLAIN), section, svg(&found, None).unwrap(), dot(&found, None).unwrap()] {
        assert!(!text.contains(" ms"), "{text}");
    }
    assert!(svg(&found, None).unwrap().contains("tells of no times"));
}

const HOSTILE: [&str; 2] = ["<script>alert(\"x\")</script>", "\\N \"] ; x [label=\"&lt;\u{7}'"];

#[test]
fn hostile_keys_are_text_in_every_format() {
    let mut builder = Builder::default();
    let [key, value] = HOSTILE.map(|text| builder.values().text(text));
    let node = builder.node(NodeName::primary());
    for (process, status) in [(0, Status::Fail), (1, Status::Ok)] {
        let id = builder.invoke(process, node, 2 * process, Nanos(0)).unwrap();
        builder.complete(id, status, 2 * process + 1, Nanos(9));
        let mops = [(key, Seen::Append(value)), (value, Seen::List(&[value]))];
        builder.mops(id, [mops[process as usize]]).unwrap();
    }
    let txns = builder.finish();
    let source = Source {
        file: HOSTILE[0].to_owned(),
        format: "edn".to_owned(),
        order: Order::RealTime,
        is_cut: false,
    };
    let whole = analyze(&txns, Scope::Whole, Order::RealTime);
    let found = Transactions::new(&txns, &source, find("serializable").unwrap(), &whole, &[]);
    assert_eq!(found.anomaly_types, ["garbage-read"]);
    let (page, picture, graph) = (html(&found), svg(&found, None).unwrap(), dot(&found, None).unwrap());
    for text in [&page, &picture] {
        assert!(!text.contains("<script>alert") && !text.contains("x [label=\""), "{text}");
        assert!(text.contains("x [label=&quot;&amp;lt; '"), "{text}");
    }
    assert!(page.contains("replab check '&lt;script&gt;"), "{page}");
    assert!(graph.contains(r#"read \\N \"] ; x [label=\"&amp;lt; ' as"#), "{graph}");
    // Outside of its strings, nothing but its own words: what is quoted has no quote that is not escaped.
    let unescaped = graph.replace("\\\\", "").replace("\\\"", "");
    assert!(unescaped.lines().all(|line| line.matches('"').count().is_multiple_of(2)), "{graph}");
}
