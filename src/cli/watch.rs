//! How a run shows on stderr: a bar on a terminal, lines in pgbench's manner elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::history::Nanos;
use crate::run::{Outcomes, Progress};

/// Between two lines where there is no terminal.
const LINE_EVERY: Nanos = Nanos::from_millis(5_000);

/// Shows the progress of one run until the run has ended, and tells once that the load has begun.
pub(super) async fn watch(
    mut progress: UnboundedReceiver<Progress>,
    quiet: bool,
    loaded: impl FnOnce() + Send,
) {
    let mut screen = Screen::new(quiet);
    let mut loaded = Some(loaded);
    while let Some(step) = progress.recv().await {
        if matches!(step, Progress::Load { .. })
            && let Some(loaded) = loaded.take()
        {
            loaded();
        }
        screen.show(step);
    }
    screen.end();
}

enum Screen {
    Quiet,
    Bar(ProgressBar),
    Lines(Lines),
}

/// What the line before has said.
#[derive(Default)]
struct Lines {
    time: Nanos,
    before: Outcomes,
}

impl Screen {
    fn new(quiet: bool) -> Screen {
        if quiet {
            return Screen::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Screen::Lines(Lines::default());
        }
        let bar = ProgressBar::new(1).with_style(style("{spinner} {msg}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Screen::Bar(bar)
    }

    fn show(&mut self, step: Progress) {
        match (self, step) {
            (Screen::Quiet, _) => {}
            (Screen::Bar(bar), Progress::Stage(what)) => {
                bar.set_style(style("{spinner} {msg}"));
                bar.set_message(what);
            }
            (Screen::Bar(bar), Progress::Fault(what)) => bar.suspend(|| line(&format!("  {what}"))),
            (Screen::Bar(bar), Progress::Load { elapsed, total, outcomes }) => {
                bar.set_style(style("{bar:30} {msg}"));
                bar.set_length(total.0.max(1));
                bar.set_position(elapsed.0.min(total.0));
                bar.set_message(format!(
                    "{:.1}/{:.0} s  {:.0} commits/s  {} failed  {} unknown",
                    elapsed.as_secs_f64(),
                    total.as_secs_f64(),
                    outcomes.write_ok as f64 / elapsed.as_secs_f64().max(0.001),
                    outcomes.write_fail,
                    outcomes.write_info,
                ));
            }
            (Screen::Lines(_), Progress::Stage(what)) => line(&what),
            (Screen::Lines(_), Progress::Fault(what)) => line(&format!("fault: {what}")),
            (Screen::Lines(lines), Progress::Load { elapsed, outcomes, .. }) => lines.show(elapsed, outcomes),
        }
    }

    fn end(&self) {
        if let Screen::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    fn show(&mut self, elapsed: Nanos, now: Outcomes) {
        let since = elapsed.since(self.time);
        if since < LINE_EVERY {
            return;
        }
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / since.as_secs_f64();
        line(&format!(
            "progress: {:.1} s, {:.1} tps, {} failed, {} unknown, {:.1} reads/s",
            elapsed.as_secs_f64(),
            rate(now.write_ok, self.before.write_ok),
            now.write_fail - self.before.write_fail,
            now.write_info - self.before.write_info,
            rate(now.read_ok, self.before.read_ok),
        ));
        (self.time, self.before) = (elapsed, now);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[expect(clippy::print_stderr, reason = "progress goes to stderr, from here only")]
fn line(text: &str) {
    eprintln!("{text}");
}
