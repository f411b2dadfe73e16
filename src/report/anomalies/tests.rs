//! What is found is told alike in every format, and nothing of it is lost.

use super::*;
use crate::anomaly::{Answer, Ending, Placement, Played, Seat, Transcript, Warning, catalogue, find};
use crate::isolation::Isolation;
use crate::report::Look;

const LOOK: Look = Look { color: false, width: 100 };

fn waits() -> Ending {
    Ending::Waits { at: "bob writes".to_owned() }
}

fn played(session: &str, sql: &str, answer: Answer) -> Played {
    Played {
        label: format!("{session} {sql}"),
        session: session.to_owned(),
        sql: sql.to_owned(),
        attempt: 1,
        waited_for: Vec::new(),
        answered_after: 0,
        answer,
        warnings: Vec::new(),
    }
}

fn transcript() -> Transcript {
    let seat = |name: &str| Seat { name: name.to_owned(), on: Placement::Primary };
    let mut steps = vec![
        played("alice", "UPDATE t", Answer::Affected { rows: 1 }),
        played("bob", "UPDATE <t>", Answer::Affected { rows: 0 }),
        played("alice", "COMMIT", Answer::Done),
        played("after", "SELECT v", Answer::Rows { rows: vec![vec!["7".to_owned()]] }),
    ];
    for (place, step) in steps.iter_mut().enumerate() {
        step.answered_after = place;
    }
    (steps[1].waited_for, steps[1].answered_after) = (vec!["alice".to_owned()], 2);
    steps[2].warnings.push(Warning { sqlstate: "01000".to_owned(), message: "canceling".to_owned() });
    Transcript { sessions: vec![seat("alice"), seat("bob")], steps }
}

fn found() -> Anomalies {
    let cases = catalogue().unwrap();
    let mut report = CaseReport::new(find(&cases, "lost-update").unwrap());
    let mut result = Result::new(Some(Ending::Happens));
    result.add(Ending::Happens, transcript(), 1);
    let cell = |isolation, result| Cell { on: Placement::Primary, isolation, result };
    report.cells.push(cell(Isolation::ReadCommitted, result));
    let mut skipped = Result::new(Some(waits()));
    skipped.not_run("there is no <replica>".to_owned());
    report.cells.push(cell(Isolation::Serializable, skipped));
    Anomalies {
        format: 1,
        exit_code: 0,
        interrupted: false,
        version: "1".to_owned(),
        server: "17.1".to_owned(),
        cluster: "local".to_owned(),
        levels: Isolation::ALL.to_vec(),
        placements: vec![Placement::Primary, Placement::Replica],
        repeat: 1,
        seconds: 1.0,
        cases: vec![report],
        not_checked: vec!["Not run: lost-update, serializable, primary: there is no <replica>.".to_owned()],
        reproduce: "replab anomalies lost-update".to_owned(),
    }
}

#[test]
fn one_repetition_that_ends_otherwise_is_a_difference_and_is_named() {
    let mut found = found();
    let mut flaky = Result::new(Some(Ending::Snapshot));
    flaky.add(Ending::Snapshot, Transcript::default(), 1);
    flaky.add(waits(), transcript(), 2);
    flaky.add(Ending::Snapshot, Transcript::default(), 3);
    assert_eq!((flaky.state, flaky.transcript.as_ref()), (State::Differs, Some(&transcript())));
    found.cases[0].cells[1].result = flaky;
    found.decide();
    assert_eq!(found.exit_code, 1);
    let said = "lost-update, serializable, primary: expected `snapshot`, but found `waits at bob writes` in 1 of 3 \
                repetitions, first in number 2";
    for text in [terminal(&found, LOOK), markdown(&found), html(&found)] {
        let plain = text.replace("<code>", "`").replace("</code>", "`").replace("\\`", "`");
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(said), "{text}");
    }
}

#[test]
fn endings_that_vary_are_a_difference_although_nothing_was_expected() {
    let mut shown = Result::new(None);
    shown.add(Ending::Ran, Transcript::default(), 1);
    assert_eq!(shown.state, State::Shown);
    shown.add(Ending::Refused { sqlstate: "40001".to_owned(), at: "x".to_owned() }, Transcript::default(), 2);
    assert_eq!(shown.state, State::Differs);
}

#[test]
fn the_worst_decides() {
    let mut found = found();
    found.decide();
    assert_eq!(found.exit_code, 0, "not run is no difference");
    found.interrupted = true;
    found.decide();
    assert_eq!(found.exit_code, 130);
    found.cases[0].cells[0].result.add(Ending::Snapshot, Transcript::default(), 2);
    found.decide();
    assert_eq!(found.exit_code, 1);
    found.cases[0].cells[1].result.failed("the disk is full".to_owned());
    found.decide();
    assert_eq!(found.exit_code, 12);
    // Once it failed, no later repetition makes it good.
    found.cases[0].cells[1].result.add(waits(), Transcript::default(), 3);
    assert_eq!(found.cases[0].cells[1].result.state, State::Failed);
}

#[test]
fn what_was_not_run_is_seen_in_every_format() {
    let found = found();
    for text in [terminal(&found, LOOK), markdown(&found), html(&found)] {
        assert!(text.contains("not run"), "{text}");
        let reason = text.replace("&lt;", "<").replace("&gt;", ">");
        assert!(reason.contains("there is no <replica>"), "{text}");
    }
    assert!(!html(&found).contains("<replica>"), "what is not ours is escaped");
}

#[test]
fn a_wait_is_drawn_until_the_step_that_ends_it() {
    let (header, rows) = show::side_by_side(&transcript());
    assert_eq!(header, ["", "alice (primary)", "bob (primary)"]);
    let expected: [[&str; 3]; 4] = [
        ["1", "UPDATE t\n→ 1 row", ""],
        ["2", "", "UPDATE <t>\n⧗ waits for alice"],
        ["3", "COMMIT\n→ ok\n! WARNING 01000: canceling", "┆"],
        ["", "", "▸ 2 goes on\n→ 0 rows"],
    ];
    assert_eq!(rows, expected);
    let shown = show(&found(), LOOK);
    assert!(
        shown.contains("in the end: SELECT v → 7") || shown.contains("after SELECT v: SELECT v → 7"),
        "{shown}"
    );
}

#[test]
fn every_format_names_the_step() {
    let mut found = found();
    let refused = Ending::Refused { sqlstate: "40001".to_owned(), at: "bob writes".to_owned() };
    let mut result = Result::new(Some(refused.clone()));
    result.add(refused, transcript(), 1);
    for isolation in [Isolation::RepeatableRead, Isolation::Serializable] {
        let (on, result) = (Placement::Replica, result.clone());
        found.cases[0].cells.push(Cell { on, isolation, result });
    }
    let said = "lost-update: 40001 at `bob writes` (repeatable read on a replica, serializable on a replica)";
    assert_eq!(words::steps(&found), [said]);
    for text in [terminal(&found, LOOK), markdown(&found), html(&found)] {
        let plain = text.replace("<code>", "`").replace("</code>", "`").replace("\\`", "`");
        assert!(plain.split_whitespace().collect::<Vec<_>>().join(" ").contains(said), "{text}");
    }
}

#[test]
fn the_page_fetches_nothing() {
    let page = html(&found());
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains(" src=") && !page.contains("href=\"http"));
}

#[test]
fn the_documentation_holds_the_catalogue_and_its_example_is_one() {
    let text = include_str!("../../../docs/anomalies.md");
    let table = expected_table(&catalogue().unwrap());
    assert!(text.contains(&table), "docs/anomalies.md is stale; its table is now\n{table}");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let case = crate::anomaly::read("example.toml", example).unwrap_or_else(|error| panic!("{error}"));
    assert!(!case.expect.is_empty() && !case.preventions.is_empty());
}
