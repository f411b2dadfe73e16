use crate::check::bench::{CALM, Run, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

fn judge(run: Run, text: &str) -> Judgement {
    of(&run.counter(text), Guarantee::Convergence, "convergence", None)
}

fn pair(primary: &str, replica: &str) -> Judgement {
    judge(
        CALM,
        &format!(
            "0 inc 1 = 1; 9 digest user_counter = {primary}; 9@replica-1 digest user_counter = {replica}"
        ),
    )
}

#[test]
fn the_same_rows() {
    for (primary, replica, expected) in [
        ("2@0/A0 0:2:aa", "2@0/A0 0:2:aa", (Pass, 0)),
        ("2@0/A0 0:2:aa", "2@0/B0 0:2:aa", (Pass, 0)),
        ("0@0/A0", "0@0/A0", (Pass, 0)),
        // The in-memory topology has no positions.
        ("2 0:2:aa", "2 0:2:aa", (Pass, 0)),
        ("2 0:2:aa", "2 0:2:ab", (Fail, 1)),
        ("2@0/A0 0:2:aa", "2@0/A0 0:2:ab", (Fail, 1)),
        ("2@0/A0 0:2:aa", "2@0/B0 0:2:ab", (Fail, 1)),
        ("3@0/A0 0:2:aa 4:1:bb", "2@0/A0 0:2:aa", (Fail, 1)),
        ("2@0/A0 0:2:aa", "3@0/A0 0:2:aa 4:1:bb", (Fail, 1)),
        ("3@0/A0 0:2:aa 4:1:bb", "3@0/A0 0:2:ab 4:1:bc", (Fail, 2)),
        ("3@0/A0 0:2:aa", "2@0/A0 0:2:aa", (Fail, 1)),
        // Not there yet: equal or not, it says nothing.
        ("2@0/A0 0:2:aa", "2@0/9F 0:2:aa", (Unknown, 0)),
        ("2@0/A0 0:2:aa", "1@0/9F 0:1:ab", (Unknown, 0)),
    ] {
        assert_eq!(result(&pair(primary, replica)), expected, "{primary} and {replica}");
    }
}

#[test]
fn says_where_rows_differ() {
    let judgement = pair("3@0/A0 0:2:aa 4:1:bb", "2@0/B0 0:2:aa");
    assert_eq!(
        words(&judgement),
        [
            "user_counter has 3 rows on primary at 0/A0 and 2 on replica-1 at 0/B0; they differ in user_id 1024 to 1279 (1 row and 0 rows)"
        ]
    );
    assert_eq!(judgement.summary, "1 of 1 table of 1 replica compared with primary, 1 differ");
}

#[test]
fn a_reader_without_positions_is_judged_by_what_it_was_read_with() {
    // Aurora's tell no position: one that was late is not read, and one that was read has had every row to show.
    let late = judge(CALM, "0 inc 1 = 1; 9 digest user_counter = 2 0:2:aa");
    assert_eq!(result(&late), (Unknown, 0));
    assert_eq!(words(&late), ["user_counter was not read on replica-1 after the load"]);
    for primary in ["2 0:2:aa", "2@0/A0 0:2:aa"] {
        assert_eq!(result(&pair(primary, "2 0:2:aa")), (Pass, 0), "{primary}");
        assert_eq!(result(&pair(primary, "1 0:1:ab")), (Fail, 1), "{primary}");
    }
}

#[test]
fn nothing_can_be_said() {
    for text in [
        "",
        "0 inc 1 = 1; 9 digest user_counter = 1 0:1:aa",
        "0 inc 1 = 1; 9@replica-1 digest user_counter = 1 0:1:aa",
        "0 inc 1 = 1; 9 digest user_counter = 1 0:1:aa; 9@replica-1 digest user_counter !",
        // Read before the load had ended.
        "9 digest user_counter = 1 0:1:aa; 9@replica-1 digest user_counter = 1 0:1:aa; 0 inc 1 = 1",
    ] {
        assert_eq!(result(&judge(CALM, text)), (Unknown, 0), "{text}");
    }
    let lonely = Run { replicas: 0, ..CALM };
    assert_eq!(result(&judge(lonely, "0 inc 1 = 1; 9 digest user_counter = 1 0:1:aa")), (Unknown, 0));
    let cut = Run { cut: Some("killed"), ..CALM };
    let equal = "0 inc 1 = 1; 9 digest user_counter = 1 0:1:aa; 9@replica-1 digest user_counter = 1 0:1:aa";
    assert_eq!(result(&judge(cut, equal)), (Unknown, 0));
    assert_eq!(result(&judge(CALM, equal)), (Pass, 0));
}

#[test]
fn the_last_digest_of_a_node_counts() {
    let text = "0 inc 1 = 1; 9 digest user_counter = 1 0:1:aa; 9@replica-1 digest user_counter = 0; 9@replica-1 digest user_counter = 1 0:1:aa";
    assert_eq!(result(&judge(CALM, text)), (Pass, 0));
}

#[test]
fn a_write_that_was_given_up_may_still_commit() {
    let text = |cause: &str, replica: &str| {
        format!(
            "0 inc 1 = 1; 1 inc 1 ? {cause}; 9 digest user_counter = 1@0/A0 0:1:aa; 9@replica-1 digest user_counter = 1@{replica} 0:1:ab"
        )
    };
    assert_eq!(result(&judge(CALM, &text("deadline", "0/B0"))), (Unknown, 0));
    assert_eq!(result(&judge(CALM, &text("deadline", "0/A0"))), (Fail, 1));
    // The connection was lost: with its server process, or its server process noticed.
    assert_eq!(result(&judge(CALM, &text("lost", "0/B0"))), (Fail, 1));
}

#[test]
fn every_table_of_the_orders_on_every_replica() {
    let run = Run { replicas: 2, ..CALM };
    let digests = |node: &str, inventory: &str| {
        format!(
            "9@{node} digest orders = 1 0:1:a; 9@{node} digest orderdetails = 1 0:1:b; 9@{node} digest inventory = {inventory};"
        )
    };
    let of_orders =
        |text: String| result(&of(&run.orders(&text), Guarantee::Convergence, "convergence", None));
    let same = format!("{}{}", digests("primary", "3 0:3:c"), digests("replica-1", "3 0:3:c"));
    assert_eq!(of_orders(format!("0 order = 1; {same}{}", digests("replica-2", "3 0:3:c"))), (Pass, 0));
    assert_eq!(of_orders(format!("0 order = 1; {same}{}", digests("replica-2", "3 0:3:d"))), (Fail, 1));
    assert_eq!(of_orders(format!("0 order = 1; {same}")), (Unknown, 0));
}
