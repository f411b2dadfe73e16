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

/// The format that was asked for, `text` where none was; `--json` stands for `json`.
pub(super) fn chosen<F: Copy + PartialEq>(
    format: Option<F>,
    [text, json]: [F; 2],
    console: &Console,
) -> Result<F, Failure> {
    match (format, console.is_json()) {
        (Some(other), true) if other != json => {
            let error = anyhow::anyhow!("--json is `--format json`, and another format was asked for");
            Err(Failure::new(Exit::Usage, error).help("leave out one of them"))
        }
        (_, true) => Ok(json),
        (format, false) => Ok(format.unwrap_or(text)),
    }
}
