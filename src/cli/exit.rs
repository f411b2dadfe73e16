//! How a command ends: the table of exit codes, and errors that know theirs.

use std::fmt;
use std::process::ExitCode;

/// The exit codes, as documented in the README. Of a run's results, the worst counts: 12 before 1, 130, 3, 4 and 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// No claimed guarantee was violated.
    Valid = 0,
    /// A claimed or required guarantee was violated.
    Invalid = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Nothing can be said about a claimed guarantee.
    Unknown = 3,
    /// A threshold was missed.
    Threshold = 4,
    /// The configuration is wrong.
    Config = 10,
    /// The machine lacks something, or refuses it.
    Environment = 11,
    /// The lab itself failed: a node died unasked, a fault did not heal.
    Lab = 12,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// An error with its exit code and what to type next.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What failed, and why: printed as a chain.
    pub error: anyhow::Error,
    /// What to do about it, if the lab knows.
    pub help: Option<String>,
}

impl Failure {
    /// A failure that ends with `exit`.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit, error: error.into(), help: None }
    }

    /// The same, with advice.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failure {
    /// Several lines: `error: …`, its causes, `help: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.error)?;
        for cause in self.error.chain().skip(1) {
            write!(f, "\n  because: {}", cause.to_string().replace('\n', "\n  "))?;
        }
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", help.replace('\n', "\n      ")),
            None => Ok(()),
        }
    }
}
