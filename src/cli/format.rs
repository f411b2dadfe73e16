//! The formats of what is not a single run.

use clap::ValueEnum;

use super::console::Console;
use super::{Exit, Failure};

/// In which form a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for a terminal.
    Text,
    /// One JSON document.
    Json,
    /// One self-contained page.
    Html,
    /// For a README.
    #[value(name = "md", alias = "markdown")]
    Markdown,
}

/// The format that was asked for; `--json` is one of them.
pub(super) fn chosen(format: Option<Format>, console: &Console) -> Result<Format, Failure> {
    match (format, console.is_json()) {
        (None | Some(Format::Json), true) => Ok(Format::Json),
        (Some(_), true) => {
            let error = anyhow::anyhow!("--json is `--format json`, and another format was asked for");
            Err(Failure::new(Exit::Usage, error).help("leave out one of them"))
        }
        (format, false) => Ok(format.unwrap_or(Format::Text)),
    }
}
