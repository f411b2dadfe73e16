//! `replab check RUN`: judges a stored run again, without a cluster.

use std::path::Path;

use super::args::CheckArgs;
use super::console::Console;
use super::here::here;
use super::{Exit, Failure, failures, run};
use crate::run::{RunDir, judge};

/// Judges and shows; nothing is written.
pub(super) fn check(args: &CheckArgs, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    let dir = RunDir::find(runs, &args.run).map_err(failures::find)?;
    let report = judge(&dir, &args.require).map_err(failures::judge)?;
    let report = here(report, &dir);
    run::show(&report, console);
    Ok(run::exit(&report))
}
