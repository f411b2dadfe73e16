//! `replab report RUN`: a stored run in any format.

use std::path::Path;

use super::args::{Format, ReportArgs};
use super::console::Console;
use super::{Exit, Failure, failures, run};
use crate::report;
use crate::run::{RunDir, judge, publish};

/// Judges again, writes the files of the run directory anew, and prints one format; its exit code says nothing of
/// the verdict.
pub(super) fn report(args: &ReportArgs, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    let dir = RunDir::find(runs, &args.run).map_err(failures::find)?;
    let judged = judge(&dir, &[]).map_err(failures::judge)?;
    publish(&dir, &judged).map_err(|error| failures::directory(dir.path(), error))?;
    console.result(&match args.format {
        Format::Text => report::terminal(&judged, run::look(console)),
        Format::Json => report::json(&judged),
        Format::Html => report::html(&judged),
        Format::Markdown => report::markdown(&judged),
        Format::Junit => report::junit(&judged),
    });
    Ok(Exit::Valid)
}
