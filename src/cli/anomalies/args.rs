//! The arguments of `replab anomalies` as typed.

use clap::{Subcommand, ValueEnum};

use crate::cli::Failure;
use crate::cli::cluster::ClusterArgs;
use crate::cli::console::Console;
use crate::cli::format;
use crate::isolation::Isolation;

/// Below the flags.
pub(in crate::cli) const HELP: &str = "\
A case is a file: its sessions, the order of their steps, by what the anomaly is recognised, what is expected at each level,
and what prevents it; docs/anomalies.md has a complete example. Each is played at every isolation level, with its readers on
the primary and on a replica, and once with every prevention. What ends otherwise than expected fails the command (exit 1).

The next step is sent when every other is answered, or the server says that it waits for another session: nothing here
rests on a time.

Examples:
  replab anomalies
  replab anomalies list
  replab anomalies show write-skew
  replab anomalies show write-skew --isolation serializable
  replab anomalies show lost-update --with for-update
  replab anomalies --repeat 50 --pg-bin /usr/lib/postgresql/17/bin
  replab anomalies my-case.toml
  replab anomalies --format isolationtester write-skew > write-skew.spec";

/// Play scripted interleavings, and compare what isolation levels and replicas allow with what is expected
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Args {
    /// Something else than playing all.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Cases by name, or files of your own (with a `/` or `.toml`) [default: the whole catalogue]
    #[arg(value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// read-committed, repeatable-read or serializable; can be repeated [default: all three]
    #[arg(long, value_name = "LEVEL")]
    pub(super) isolation: Vec<Isolation>,
    /// How often each is played: one that ends otherwise is a difference
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: u32,
    /// Where sessions that only read are connected to
    #[arg(long, value_name = "WHERE", default_value = "both")]
    pub(super) on: On,
    /// The format of the result [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The cases of the catalogue
    List,
    /// Play one case, and show its sessions side by side, step by step
    Show(Box<ShowArgs>),
}

/// `replab anomalies show`.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ShowArgs {
    /// A case by name, or a file of your own
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// read-committed, repeatable-read or serializable; can be repeated [default: all three]
    #[arg(long, value_name = "LEVEL", conflicts_with = "with")]
    pub(super) isolation: Vec<Isolation>,
    /// With one of the case's preventions, at its level
    #[arg(long, value_name = "PREVENTION")]
    pub(super) with: Option<String>,
    /// Where sessions that only read are connected to, primary or replica [default: the primary, where the case can be]
    #[arg(long, value_name = "WHERE")]
    pub(super) on: Option<On>,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

/// Where readers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum On {
    /// On the primary.
    Primary,
    /// On a replica.
    Replica,
    /// Once here and once there.
    Both,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for a terminal.
    Text,
    /// One document, as schemas/anomalies.schema.json describes it.
    Json,
    /// For a README.
    #[value(name = "md", alias = "markdown")]
    Markdown,
    /// One self-contained page.
    Html,
    /// One case in the language of PostgreSQL's own isolationtester; nothing is played.
    Isolationtester,
}

impl Args {
    pub(super) fn format(&self, console: &Console) -> Result<Format, Failure> {
        format::chosen(self.format, [Format::Text, Format::Json], console)
    }

    /// A command that does the same; without passwords, which URLs may hold.
    pub(super) fn reproduce(&self) -> String {
        let mut words = vec!["replab anomalies".to_owned()];
        words.extend(self.isolation.iter().map(|level| format!("--isolation {}", level.name())));
        if self.repeat > 1 {
            words.push(format!("--repeat {}", self.repeat));
        }
        match self.on {
            On::Primary => words.push("--on primary".to_owned()),
            On::Replica => words.push("--on replica".to_owned()),
            On::Both => {}
        }
        words.extend(self.cluster.words());
        words.extend(self.names.iter().cloned());
        words.join(" ")
    }
}

impl ShowArgs {
    /// A command that does the same.
    pub(super) fn reproduce(&self) -> String {
        let mut words = vec![format!("replab anomalies show {}", self.name)];
        words.extend(self.isolation.iter().map(|level| format!("--isolation {}", level.name())));
        words.extend(self.with.iter().map(|name| format!("--with {name}")));
        words.extend(self.on.filter(|on| *on == On::Replica).map(|_| "--on replica".to_owned()));
        words.extend(self.cluster.words());
        words.join(" ")
    }
}
