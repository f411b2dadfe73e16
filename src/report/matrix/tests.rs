//! Aggregation, and what stands in a cell.

use super::*;
use crate::history::{Nanos, NodeName};
use crate::report::Look;

fn turn(repetition: u32) -> Turn {
    Turn { repetition, seed: 1, directory: format!("cells/x/{repetition}"), seconds: 2.0 }
}

fn timed(ms: u64) -> Timed {
    Timed { time: Nanos::from_millis(ms), at_least: false }
}

/// A run that lost so many, over as many milliseconds.
fn run(repetition: u32, lost: u64) -> CellRun {
    let measured = Measured {
        acknowledged: 1_000,
        lost,
        forewarned: 0,
        at_least: false,
        span: (lost > 0).then(|| Nanos::from_millis(lost)),
        writes_out: Some(timed(300)),
        first_commit: Some(timed(310)),
        reads_out: vec![ReadsOut { node: NodeName::primary(), out: timed(lost) }],
    };
    let failed = CellRun::failed(String::new(), 0, turn(repetition));
    CellRun { state: State::Measured, why: None, measured: Some(measured), ..failed }
}

fn violated(repetition: u32) -> CellRun {
    let failed = CellRun::failed("violated durability · orders".to_owned(), 1, turn(repetition));
    CellRun { state: State::Violated, ..failed }
}

fn matrix(cells: Vec<(bool, Vec<CellRun>)>) -> Matrix {
    let levels: Vec<String> = (0..cells.len()).map(|n| format!("level-{n}")).collect();
    let cell = |(level, (claimed, runs)): (&String, (bool, Vec<CellRun>))| Cell {
        synchronous_commit: level.clone(),
        standbys: "none".to_owned(),
        fault: "kill".to_owned(),
        claimed,
        theory: format!("reason of {level}, `code` <b>"),
        summary: Summary::of(&[]),
        runs,
    };
    let mut matrix = Matrix {
        format: 1,
        exit_code: 0,
        end: End::Complete,
        id: "matrix-1".to_owned(),
        started: "2026-01-01T00:00:00+00:00".to_owned(),
        version: "0".to_owned(),
        machine: Vec::new(),
        servers: Vec::new(),
        cluster: "local".to_owned(),
        workloads: "orders (8 clients)".to_owned(),
        duration_seconds: 2.0,
        repeat: 3,
        seed: 1,
        reproduce: "replab matrix m.toml".to_owned(),
        plan: "repeat = 3\n".to_owned(),
        cells: levels.iter().zip(cells).map(cell).collect(),
        synchronous_commit: levels,
        standbys: vec!["none".to_owned()],
        faults: vec![FaultFacts {
            name: "kill".to_owned(),
            schedule: "crash(primary)@1s".to_owned(),
            explanation: "`SIGKILL` <script>".to_owned(),
        }],
        not_checked: vec!["power".to_owned()],
    };
    matrix.settle();
    matrix
}

fn lost(claimed: bool, runs: Vec<CellRun>) -> String {
    words::lost(&matrix(vec![(claimed, runs)]).cells[0]).join(" ")
}

#[test]
fn the_median_is_a_value_that_was_measured() {
    let of = |values: &[u64]| {
        Spread::of(values.iter().map(|&value| (value, false))).map(|of| (of.min, of.median, of.max))
    };
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[7]), Some((7, 7, 7)));
    assert_eq!(of(&[9, 1]), Some((1, 1, 9)));
    assert_eq!(of(&[40, 3, 12]), Some((3, 12, 40)));
    assert_eq!(of(&[4, 3, 2, 1]), Some((1, 2, 4)));
    assert!(Spread::of([(1, false), (2, true)].into_iter()).unwrap().at_least);
}

#[test]
fn a_cell_is_all_of_its_runs() {
    let summary = Summary::of(&[run(1, 12), run(2, 0), run(3, 40)]);
    let spread = |min, median, max, count| Some(Spread { count, min, median, max, at_least: false });
    assert_eq!((summary.state, summary.measured), (State::Measured, 3));
    assert_eq!(summary.lost, spread(0, 12, 40, 3));
    // A run that lost nothing spans nothing.
    assert_eq!(summary.span, spread(12_000_000, 12_000_000, 40_000_000, 2));
    assert_eq!(summary.reads_out[0].out.max, 40_000_000);
    assert_eq!(Summary::of(&[]).state, State::NotRun);
}

#[test]
fn what_is_no_number_never_looks_like_one() {
    assert_eq!(lost(true, vec![run(1, 0)]), "✓ 0");
    assert_eq!(lost(false, vec![run(1, 0)]), "0");
    assert_eq!(lost(false, vec![run(1, 3), run(2, 40), run(3, 12)]), "! 12 3–40");
    assert_eq!(lost(false, vec![]), "not run");
    assert_eq!(lost(true, vec![run(1, 0), violated(2)]), "✗ INVALID");
    let unknown = CellRun { state: State::Unknown, ..violated(3) };
    assert_eq!(lost(false, vec![run(1, 0), unknown.clone()]), "? UNKNOWN");
    let failed = CellRun::failed("a node died".to_owned(), 12, turn(4));
    assert_eq!(lost(false, vec![violated(2), failed, unknown]), "✗ LAB FAILED");
}

#[test]
fn the_worst_run_decides_the_exit_code() {
    let failed = CellRun::failed("a node died".to_owned(), 12, turn(2));
    assert_eq!(matrix(vec![(true, vec![run(1, 0)])]).exit_code, 0);
    assert_eq!(matrix(vec![(true, vec![run(1, 0), violated(2)])]).exit_code, 1);
    let mut both = matrix(vec![(true, vec![violated(1)]), (false, vec![failed])]);
    assert_eq!(both.exit_code, 12);
    both.cells.truncate(1);
    both.end = End::Interrupted;
    both.settle();
    assert_eq!(both.exit_code, 1, "what was violated before Ctrl-C was violated");
    both.cells[0].runs.clear();
    both.settle();
    assert_eq!(both.exit_code, 130);
}

#[test]
fn every_format_tells_trouble_and_escapes_what_is_not_ours() {
    let matrix = matrix(vec![(true, vec![run(1, 0), violated(2)]), (false, vec![run(1, 1_234)])]);
    let text = terminal(&matrix, Look { color: false, width: 100 });
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    for all in [text, markdown(&matrix), html(&matrix)] {
        for words in ["✗ INVALID", "! 1,234", "violated durability · orders (exit 1, cells/x/2)", "exit"] {
            assert!(all.contains(words), "{words}: {all}");
        }
    }
    let (page, markdown) = (html(&matrix), markdown(&matrix));
    assert!(
        !page.contains("<script> ")
            && page.contains("&lt;script&gt;")
            && page.contains("<code>SIGKILL</code>")
    );
    assert!(page.contains("href=\"cells/x/1/report.html\""));
    assert!(markdown.contains("`SIGKILL` &lt;script&gt;") && !markdown.contains("<b>"), "{markdown}");
    let again: Matrix = serde_json::from_str(&json(&matrix)).unwrap();
    assert_eq!(again, matrix);
}
