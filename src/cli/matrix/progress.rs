//! How a matrix shows on stderr: a bar on a terminal, a line a run elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::report::matrix::{Cell, Matrix, State};
use crate::run::Progress;
use crate::run::matrix::Next;

/// Where progress goes.
pub(super) enum Screen {
    Quiet,
    /// With what it says of the run at hand.
    Bar(ProgressBar, String),
    Lines,
}

/// Shows one run until it has ended.
pub(super) async fn watch(screen: Screen, mut progress: UnboundedReceiver<Progress>) -> Screen {
    while let Some(step) = progress.recv().await {
        if let (Screen::Bar(bar, run), Progress::Stage(what)) = (&screen, step) {
            bar.set_message(format!("{run} · {what}"));
        }
    }
    screen
}

impl Screen {
    pub(super) fn new(quiet: bool) -> Screen {
        if quiet {
            return Screen::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Screen::Lines;
        }
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
        let bar = ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Screen::Bar(bar, String::new())
    }

    /// The run that is next.
    pub(super) fn begin(&mut self, matrix: &Matrix, next: Next) {
        if let Screen::Bar(bar, run) = self {
            *run = format!("{} · {}", name(&matrix.cells[next.cell]), left(matrix));
            bar.set_length(matrix.planned() as u64);
            bar.set_position(matrix.done() as u64);
            bar.set_message(run.clone());
        }
    }

    /// What it found.
    pub(super) fn end_run(&self, matrix: &Matrix, next: Next) {
        let cell = &matrix.cells[next.cell];
        let text = format!("{}: {}", name(cell), found(cell));
        match self {
            Screen::Quiet => {}
            Screen::Bar(bar, _) => bar.suspend(|| line(&format!("  {text}"))),
            Screen::Lines => {
                line(&format!("run {}/{}: {text}; {}", matrix.done(), matrix.planned(), left(matrix)));
            }
        }
    }

    pub(super) fn end(&self) {
        if let Screen::Bar(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}

fn name(cell: &Cell) -> String {
    format!("{}, {}, standbys {}", cell.fault, cell.synchronous_commit, cell.standbys)
}

/// The newest run of a cell in a few words.
fn found(cell: &Cell) -> String {
    let Some(run) = cell.runs.last() else { return "nothing".to_owned() };
    let why = || run.why.clone().unwrap_or_default();
    match (&run.measured, run.state) {
        (Some(measured), _) => {
            format!("{} of {} lost, {:.1} s", measured.lost, measured.acknowledged, run.seconds)
        }
        (None, State::Violated) => format!("INVALID: {}", why()),
        (None, State::Failed) => format!("LAB FAILED: {}", why()),
        (None, _) => format!("UNKNOWN: {}", why()),
    }
}

/// How much longer it will take, if the runs to come take as long as those before.
fn left(matrix: &Matrix) -> String {
    let times: Vec<f64> = matrix.cells.iter().flat_map(|cell| &cell.runs).map(|run| run.seconds).collect();
    let missing = matrix.planned().saturating_sub(matrix.done());
    if times.is_empty() {
        return format!("{missing} runs left");
    }
    let seconds = times.iter().sum::<f64>() / times.len() as f64 * missing as f64;
    if seconds < 90.0 {
        format!("about {seconds:.0} s left")
    } else {
        format!("about {:.0} min left", seconds / 60.0)
    }
}

#[expect(clippy::print_stderr, reason = "progress goes to stderr, from here only")]
fn line(text: &str) {
    eprintln!("{text}");
}
