//! A report into its run directory, in every format.

use std::io;

use super::directory::RunDir;
use crate::report::{self, Report};

/// Writes `results.json`, `report.html`, `report.md` and `junit.xml`.
pub fn publish(dir: &RunDir, report: &Report) -> io::Result<()> {
    dir.write("results.json", &report::json(report))?;
    dir.write("report.html", &report::html(report))?;
    dir.write("report.md", &report::markdown(report))?;
    dir.write("junit.xml", &report::junit(report))
}
