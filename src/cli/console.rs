//! Where output goes: the result to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::args::{ColorWhen, Global};
use super::{Exit, Failure};

/// The two streams, and how they are to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Console {
    json: bool,
    quiet: bool,
    color: bool,
    width: usize,
}

impl Console {
    /// As the flags and the terminal want it.
    pub(super) fn new(global: &Global) -> Console {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let color = match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                io::stdout().is_terminal()
                    && variable("NO_COLOR").is_none()
                    && variable("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let width = comfy_table::Table::new().width().map_or(100, usize::from);
        Console { json: global.json, quiet: global.quiet, color, width }
    }

    /// For a command line that could not be read.
    pub(super) fn plain_json() -> Console {
        Console { json: true, quiet: true, color: false, width: 100 }
    }

    /// Whether the result is to be one JSON document.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// For a command whose output is another program's, or for a shell, and can be no document.
    pub(super) fn refuse_json(&self, command: &str) -> Result<(), Failure> {
        if self.json {
            let error = anyhow::anyhow!("{command} prints no JSON");
            return Err(Failure::new(Exit::Usage, error).help("leave out --json"));
        }
        Ok(())
    }

    /// Whether progress is unwanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the result may be coloured.
    pub(super) fn color(&self) -> bool {
        self.color
    }

    /// Columns of the terminal; 100 where there is none.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The result, as it is.
    pub(super) fn result(&self, text: &str) {
        // A reader that has seen enough (`| head`) is no error.
        let mut stdout = io::stdout().lock();
        drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
    }

    /// The result as one JSON document.
    pub(super) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.result(&format!("{text}\n")),
            Err(error) => self.line(&format!("error: the result is not JSON: {error}")),
        }
    }

    /// Something worth knowing besides the result.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Why there is no result; with `--json`, on stdout too.
    pub(super) fn failure(&self, failure: &Failure) {
        self.line(&failure.to_string());
        if self.json {
            self.json(&FailureDocument::from(failure));
        }
    }

    fn line(&self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }
}

/// A failure as a document.
#[derive(Debug, Serialize)]
pub(super) struct FailureDocument {
    error: FailureFacts,
}

#[derive(Debug, Serialize)]
struct FailureFacts {
    exit_code: u8,
    message: String,
    causes: Vec<String>,
    help: Option<String>,
}

impl From<&Failure> for FailureDocument {
    fn from(failure: &Failure) -> FailureDocument {
        FailureDocument {
            error: FailureFacts {
                exit_code: failure.exit as u8,
                message: failure.error.to_string(),
                causes: failure.error.chain().skip(1).map(ToString::to_string).collect(),
                help: failure.help.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_document_too() {
        let error = anyhow::anyhow!("disk full").context("write runs/x");
        let failure = Failure::new(Exit::Environment, error).help("make room");
        insta::assert_json_snapshot!(FailureDocument::from(&failure), @r#"
        {
          "error": {
            "exit_code": 11,
            "message": "write runs/x",
            "causes": [
              "disk full"
            ],
            "help": "make room"
          }
        }
        "#);
    }
}
