//! What is printed of small histories.

use super::{NotOneServer, Origin, Shrunk, isolationtester, json, psql, terminal};
use crate::anomaly::replay::replay;
use crate::check::cycle::{Anomaly, Order, Scope, analyze, budget, shrink};
use crate::history::txn::notation::txns;
use crate::report::Look;

const SKEW: &str = "0-1 9: ax1 ay2 az3; 2-9 1: rx1 rz3 ry2 ay5; 3-8 2: ry2 rz3 ax6; 10-11 9: rx16 ry25 rz3";
const FORK: &str = "1: ax1 az1; 2: ay2; 3: rx1 ry rz1; 4@replica-1: rx ry2; 5: az9 !";

fn found(text: &str, name: &str) -> Shrunk {
    let whole = txns(text);
    let analysis = analyze(&whole, Scope::Whole, Order::RealTime);
    let anomaly = Anomaly::named(name).unwrap();
    let smallest = shrink(&whole, Order::RealTime, anomaly, &analysis, budget(&whole)).unwrap();
    let mut replay = replay(&smallest.txns, &anomaly.name(), None);
    replay.case.title = anomaly.meaning().trim_end_matches('.').to_owned();
    replay.case.code = Some(anomaly.name());
    let origin = Origin {
        file: "history.edn".to_owned(),
        format: "edn".to_owned(),
        transactions: whole.len() as u64,
        operations: whole.mops() as u64,
        count: analysis.count(anomaly),
    };
    Shrunk::new(&origin, anomaly, &smallest, replay)
}

#[test]
fn a_write_skew_for_two_terminals() {
    insta::assert_snapshot!(psql(&found(SKEW, "write-skew")), @r#"
    -- G2-item: Transactions each missed the other's write (write skew).
    -- 2 of 4 transactions of history.edn: nothing can be left out.
    -- In this order, one PostgreSQL server at repeatable read gives what was read.
    -- key 1 stands for y
    -- key 2 stands for x
    --
    -- A terminal with psql for each session; each line is for the session it begins with, from top to bottom.
    -- s1: process 1, connected to primary
    -- s2: process 2, connected to primary

    -- Before, in any of them that may write:
    CREATE TABLE txn_list (key bigint PRIMARY KEY, elements bigint[] NOT NULL);

    /* s1 */ BEGIN ISOLATION LEVEL REPEATABLE READ;
    /* s1 */ SELECT elements FROM txn_list WHERE key = 2; -- T1 read no row
    /* s1 */ INSERT INTO txn_list VALUES (1, ARRAY[5]) ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements;
    /* s2 */ BEGIN ISOLATION LEVEL REPEATABLE READ;
    /* s2 */ SELECT elements FROM txn_list WHERE key = 1; -- T2 read no row
    /* s2 */ INSERT INTO txn_list VALUES (2, ARRAY[6]) ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements;
    /* s2 */ COMMIT;
    /* s1 */ COMMIT;

    -- And in the end:
    DROP TABLE txn_list;
    "#);
}

#[test]
fn a_write_skew_for_isolationtester() {
    insta::assert_snapshot!(isolationtester(&found(SKEW, "write-skew")).unwrap(), @r#"
    # Transactions each missed the other's write (write skew) (G2-item), at repeatable read
    # 2 of 4 transactions of history.edn: nothing can be left out.
    # In this order, one PostgreSQL server at repeatable read gives what was read.
    # key 1 stands for y
    # key 2 stands for x
    # T1: SELECT elements FROM txn_list WHERE key = 2 -> no row
    # T2: SELECT elements FROM txn_list WHERE key = 1 -> no row

    setup { CREATE SCHEMA replab_anomaly; SET search_path = replab_anomaly, public; }
    setup { CREATE TABLE txn_list (key bigint PRIMARY KEY, elements bigint[] NOT NULL); }
    teardown { DROP SCHEMA replab_anomaly CASCADE; }

    session s1
    setup { SET search_path = replab_anomaly, public; SET default_transaction_isolation = 'repeatable read'; }
    step t1_begins { BEGIN; }
    step t1_reads_2 { SELECT elements FROM txn_list WHERE key = 2; }
    step t1_appends_5_to_1 { INSERT INTO txn_list VALUES (1, ARRAY[5]) ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements; }
    step t1_commits { COMMIT; }

    session s2
    setup { SET search_path = replab_anomaly, public; SET default_transaction_isolation = 'repeatable read'; }
    step t2_begins { BEGIN; }
    step t2_reads_1 { SELECT elements FROM txn_list WHERE key = 1; }
    step t2_appends_6_to_2 { INSERT INTO txn_list VALUES (2, ARRAY[6]) ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements; }
    step t2_commits { COMMIT; }

    permutation t1_begins t1_reads_2 t1_appends_5_to_1 t2_begins t2_reads_1 t2_appends_6_to_2 t2_commits t1_commits
    "#);
}

#[test]
fn a_write_skew_for_a_terminal() {
    insta::assert_snapshot!(terminal(&found(SKEW, "write-skew"), Look { color: false, width: 110 }), @r#"
    ✗ G2-item  Transactions each missed the other's write (write skew).

      THE SMALLEST PART THAT SHOWS IT
        · 2 of 4 transactions in history.edn, and 4 of 13 operations; the whole shows it 2 times
        · nothing can be left out: no transaction, and no read or write (28 parts judged)
          · T1 = transaction 1, acknowledged, process 1 on primary, 2.000 to 9.000 ms: read x as [], append 5 to y
          · T2 = transaction 2, acknowledged, process 2 on primary, 3.000 to 8.000 ms: read y as [], append 6 to x
            T1 < T2, because T1 read x as [] and did not see T2's append of 6
            T2 < T1, because T2 read y as [] and did not see T1's append of 5

      TO PLAY IT
        · In this order, one PostgreSQL server at repeatable read gives what was read.
    ╭─────────┬────┬───────────────────────────────────────────────────────────────────────────┬─────────────────╮
    │ session ┆ of ┆ statement                                                                 ┆ the history saw │
    ╞═════════╪════╪═══════════════════════════════════════════════════════════════════════════╪═════════════════╡
    │ s1      ┆ T1 ┆ BEGIN ISOLATION LEVEL REPEATABLE READ                                     ┆                 │
    │ s1      ┆ T1 ┆ SELECT elements FROM txn_list WHERE key = 2                               ┆ no row          │
    │ s1      ┆ T1 ┆ INSERT INTO txn_list VALUES (1, ARRAY[5]) ON CONFLICT (key) DO UPDATE SET ┆                 │
    │         ┆    ┆ elements = txn_list.elements || EXCLUDED.elements                         ┆                 │
    │ s2      ┆ T2 ┆ BEGIN ISOLATION LEVEL REPEATABLE READ                                     ┆                 │
    │ s2      ┆ T2 ┆ SELECT elements FROM txn_list WHERE key = 1                               ┆ no row          │
    │ s2      ┆ T2 ┆ INSERT INTO txn_list VALUES (2, ARRAY[6]) ON CONFLICT (key) DO UPDATE SET ┆                 │
    │         ┆    ┆ elements = txn_list.elements || EXCLUDED.elements                         ┆                 │
    │ s2      ┆ T2 ┆ COMMIT                                                                    ┆                 │
    │ s1      ┆ T1 ┆ COMMIT                                                                    ┆                 │
    ╰─────────┴────┴───────────────────────────────────────────────────────────────────────────┴─────────────────╯
        s1 is process 1 on primary
        s2 is process 2 on primary
        key 1 stands for y
        key 2 stands for x
        --format psql and --format isolationtester print it as scripts, --format edn as a history

    ✗ G2-item: 2 transactions in history.edn, of which nothing can be left out                              exit 0
    "#);
}

#[test]
fn a_lost_update_of_a_register() {
    let text = "0-1 1: wx1 wy1; 2-9 2: gx1 gy1 wx2; 3-8 3: gx1 wx3; 10-11 4: gx2";
    insta::assert_snapshot!(psql(&found(text, "lost-update")), @r#"
    -- lost-update: Two committed transactions replaced the same version that both had read.
    -- 3 of 4 transactions of history.edn: nothing can be left out.
    -- In this order, one PostgreSQL server at read committed gives what was read.
    -- key 1 stands for x
    --
    -- A terminal with psql for each session; each line is for the session it begins with, from top to bottom.
    -- s1: process 1, connected to primary
    -- s2: process 2, connected to primary
    -- s3: process 3, connected to primary

    -- Before, in any of them that may write:
    CREATE TABLE txn_register (key bigint PRIMARY KEY, value bigint NOT NULL);

    /* s1 */ BEGIN ISOLATION LEVEL READ COMMITTED;
    /* s1 */ INSERT INTO txn_register VALUES (1, 1) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
    /* s1 */ COMMIT;
    /* s2 */ BEGIN ISOLATION LEVEL READ COMMITTED;
    /* s2 */ SELECT value FROM txn_register WHERE key = 1; -- T2 read 1
    /* s3 */ BEGIN ISOLATION LEVEL READ COMMITTED;
    /* s3 */ SELECT value FROM txn_register WHERE key = 1; -- T3 read 1
    /* s3 */ INSERT INTO txn_register VALUES (1, 3) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
    /* s3 */ COMMIT;
    /* s2 */ INSERT INTO txn_register VALUES (1, 2) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
    /* s2 */ COMMIT;

    -- And in the end:
    DROP TABLE txn_register;
    "#);
}

#[test]
fn a_long_fork_takes_two_nodes() {
    let fork = found(FORK, "long-fork");
    insta::assert_snapshot!(psql(&fork), @r#"
    -- G-nonadjacent-item: Transactions missed writes that the others saw: no one order of commits explains all their snapshots (long fork).
    -- 4 of 5 transactions of history.edn: nothing can be left out.
    -- The sessions are on several nodes: whether what was read is seen again rests on when each node shows which commit, and no order of statements decides that.
    -- key 1 stands for x
    -- key 2 stands for y
    --
    -- A terminal with psql for each session; each line is for the session it begins with, from top to bottom.
    -- s1: process 1, connected to primary
    -- s2: process 2, connected to primary
    -- s3: process 3, connected to primary
    -- s4: process 4, connected to replica-1

    -- Before, in any of them that may write:
    CREATE TABLE txn_list (key bigint PRIMARY KEY, elements bigint[] NOT NULL);

    /* s1 */ BEGIN ISOLATION LEVEL REPEATABLE READ;
    /* s1 */ INSERT INTO txn_list VALUES (1, ARRAY[1]) ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements;
    /* s2 */ BEGIN ISOLATION LEVEL REPEATABLE READ;
    /* s2 */ INSERT INTO txn_list VALUES (2, ARRAY[2]) ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements;
    /* s3 */ BEGIN ISOLATION LEVEL REPEATABLE READ;
    /* s3 */ SELECT elements FROM txn_list WHERE key = 1; -- T3 read {1}
    /* s3 */ SELECT elements FROM txn_list WHERE key = 2; -- T3 read no row
    /* s4 */ BEGIN ISOLATION LEVEL REPEATABLE READ;
    /* s4 */ SELECT elements FROM txn_list WHERE key = 1; -- T4 read no row
    /* s4 */ SELECT elements FROM txn_list WHERE key = 2; -- T4 read {2}
    /* s1 */ COMMIT;
    /* s2 */ COMMIT;
    /* s3 */ COMMIT;
    /* s4 */ COMMIT;

    -- And in the end:
    DROP TABLE txn_list;
    "#);
    let refused = isolationtester(&fork).unwrap_err();
    assert!(matches!(refused, NotOneServer::Nodes(_)));
    insta::assert_snapshot!(refused, @"isolationtester has one server, and this takes several: s1 is on primary, s2 is on primary, s3 is on primary, s4 is on replica-1");
}

#[test]
fn what_no_server_gives_is_told_in_every_format() {
    let garbage = found("ax1; rx19; ay1", "garbage-read");
    for text in [
        psql(&garbage),
        isolationtester(&garbage).unwrap(),
        terminal(&garbage, Look { color: false, width: 400 }),
    ] {
        assert!(text.contains("PostgreSQL server at repeatable read or read committed"), "{text}");
    }
    let document: serde_json::Value = serde_json::from_str(&json(&garbage)).unwrap();
    assert_eq!(document["worth"], "no-server");
    assert_eq!(document["script"][1]["saw"], serde_json::json!(["{9}"]));
    assert_eq!(document["transactions"].as_array().unwrap().len(), 1);
}
