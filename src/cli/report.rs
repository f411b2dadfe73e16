//! `replab report RUN`: a stored run in any format.

use std::path::Path;

use super::args::{Format, ReportArgs};
use super::console::Console;
use super::here::here;
use super::{Exit, Failure, failures, run};
use crate::report;
use crate::run::{RunDir, judge, publish};

/// Judges again and prints one format; its exit code says nothing of the verdict. The run may be somebody else's, or an
/// artefact that cannot be written: its files are made anew only where that is asked for.
pub(super) fn report(args: &ReportArgs, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    let format = match (args.format, console.is_json()) {
        (None | Some(Format::Json), true) => Format::Json,
        (Some(_), true) => {
            let error = anyhow::anyhow!("--json is `--format json`, and another format was asked for");
            return Err(Failure::new(Exit::Usage, error).help("leave out one of them"));
        }
        (format, false) => format.unwrap_or(Format::Text),
    };
    let dir = RunDir::find(runs, &args.run).map_err(failures::find)?;
    let judged = judge(&dir, &[]).map_err(failures::judge)?;
    if args.rewrite {
        publish(&dir, &judged).map_err(|error| {
            let error = anyhow::Error::new(error).context(format!("write {}", dir.path().display()));
            Failure::new(Exit::Environment, error).help("without --rewrite nothing is written")
        })?;
    }
    let judged = here(judged, &dir);
    console.result(&match format {
        Format::Text => report::terminal(&judged, run::look(console)),
        Format::Json => report::json(&judged),
        Format::Html => report::html(&judged),
        Format::Markdown => report::markdown(&judged),
        Format::Junit => report::junit(&judged),
    });
    Ok(Exit::Valid)
}
