use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

fn judge(run: Run, text: &str, node: &str) -> Judgement {
    of(&run.orders(text), Guarantee::Atomicity, "conservation", Some(node))
}

/// A run of two products and one order, in which the replica's only snapshot is `stock` and its ledger `ledger`.
fn replica(stock: &str, ledger: &str) -> Judgement {
    let text = format!(
        "9 stock = 1:10+0 2:20+0 o0 d0; 0 order = 1; 8@replica-1 stock = {stock}; 9@replica-1 ledger 0 = {ledger}"
    );
    judge(CALM, &text, "replica-1")
}

#[test]
fn whole_orders() {
    for (stock, ledger, expected) in [
        ("1:10+0 2:20+0 o0 d0", "", (Pass, 0)),
        ("1:7+3 2:20+0 o1 d1", "1/0", (Pass, 0)),
        // The stock was taken, and nothing was ordered; and the other way round.
        ("1:7+0 2:20+0 o0 d0", "", (Fail, 1)),
        ("1:10+3 2:20+0 o1 d1", "1/0", (Fail, 1)),
        // An order without its detail.
        ("1:10+0 2:20+0 o1 d0", "1/0x0", (Fail, 2)),
        ("1:7+3 2:20+0 o1 d2", "1/0x2", (Fail, 2)),
        // The total is right, the products are not.
        ("1:7+0 2:20+3 o1 d1", "1/0", (Fail, 1)),
        // More was sold than there was.
        ("1:-1+11 2:20+0 o1 d1", "1/0", (Fail, 1)),
        ("1:10+0 o0 d0", "", (Fail, 1)),
        ("1:10+0 2:20+0 3:5+0 o0 d0", "", (Fail, 1)),
        ("1:7+3 2:20+0 o1 d1", "1/0x0", (Fail, 1)),
        // After the load nobody is without the start data.
        ("", "1/0", (Fail, 1)),
    ] {
        assert_eq!(result(&replica(stock, ledger)), expected, "{stock}: {ledger}");
    }
}

#[test]
fn only_a_replica_may_still_be_without_the_start_data() {
    let empty = |node: &str| {
        let text = format!(
            "9 stock = 1:10+0 o0 d0; 0 order = 1; 8{node} stock = ; 0 order ! refused; 9{node} stock = 1:9+1 o1 d1; 9{node} ledger 0 = 1/0"
        );
        judge(CALM, &text, if node.is_empty() { "primary" } else { &node[1..] })
    };
    let behind = empty("@replica-1");
    assert_eq!((result(&behind), figure(&behind, "snapshots from before the start data")), ((Pass, 0), 1));
    assert_eq!(result(&empty("")), (Fail, 1));
}

#[test]
fn says_what_is_torn() {
    let judgement = replica("1:7+0 2:20+0 o0 d0", "1/0x2");
    assert_eq!(
        words(&judgement),
        [
            "a snapshot of replica-1, read at 0.006 s: product 1 has 7 in stock and 0 ordered, 7 together, and had 10 before the load",
            "order 1 on replica-1 has 2 details at the end"
        ]
    );
    assert_eq!(
        judgement.summary,
        "1 snapshot judged, 1 with half an order; 1 order at the end, 1 without exactly one detail"
    );
}

#[test]
fn nothing_can_be_said() {
    // No snapshot, no ledger, no baseline.
    assert_eq!(result(&judge(CALM, "9 stock = 1:10+0 o0 d0; 0 order = 1", "replica-1")), (Unknown, 0));
    assert_eq!(result(&judge(CALM, "9 stock = 1:10+0 o0 d0; 0 order = 1", "primary")), (Unknown, 0));
    assert_eq!(
        result(&judge(CALM, "0 order = 1; 9 stock = 1:9+1 o1 d1; 9 ledger 0 = 1/0", "primary")),
        (Unknown, 0)
    );
    assert_eq!(
        result(&judge(CALM, "0 order = 1; 9 stock = 1:9+1 o1 d0; 9 ledger 0 = 1/0", "primary")),
        (Fail, 1)
    );
    assert_eq!(result(&judge(CALM, "", "primary")), (Unknown, 0));
    let cut = Run { cut: Some("killed"), ..CALM };
    let text = "9 stock = 1:10+0 o0 d0; 0 order = 1; 9 stock = 1:9+1 o1 d1; 9 ledger 0 = 1/0";
    assert_eq!(result(&judge(cut, text, "primary")), (Unknown, 0));
    assert_eq!(result(&judge(CALM, text, "primary")), (Pass, 0));
}

#[test]
fn every_node_is_judged_by_itself() {
    let text = "9 stock = 1:10+0 o0 d0; 0 order = 1; 8@replica-1 stock = 1:9+0 o0 d0; 7@replica-2 stock = 1:9+1 o1 d1; 9 ledger 0 = 1/0; 9@replica-1 ledger 0 = 1/0; 9@replica-2 ledger 0 = 1/0";
    let run = Run { replicas: 2, ..CALM };
    let results = ["primary", "replica-1", "replica-2"].map(|node| result(&judge(run, text, node)));
    assert_eq!(results, [(Pass, 0), (Fail, 1), (Pass, 0)]);
    assert_eq!(figure(&judge(run, text, "primary"), "snapshots judged"), 1);
}
