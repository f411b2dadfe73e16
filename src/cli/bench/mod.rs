//! `replab bench`: ways to do the same against each other, and the lab against its peers, on this machine, now.

mod checker;
mod counter;
mod driver;
mod forum;
mod race;
mod up;

use clap::Subcommand;

use super::args::Place;
use super::console::Console;
use super::{Exit, Failure, failures};
use crate::topology::local::{Cluster, Config};

/// `replab bench`.
#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    /// Ways to increment one counter: how fast, how often again, and whether any increment is lost
    #[command(after_long_help = counter::HELP)]
    Counter(Box<counter::Args>),
    /// A forum's accounts, comments and reactions under isolation levels, locks and compare-and-set
    #[command(after_long_help = forum::HELP)]
    Forum(Box<forum::Args>),
    /// replab's driver and pgbench in turn: the same statements, clients and cluster
    Driver(driver::DriverArgs),
    /// The checker of transactions: how fast it judges histories of a million, and in how much memory
    #[command(after_long_help = checker::HELP)]
    Checker(checker::CheckerArgs),
    /// How long a cluster of one primary and one replica takes to be up
    Up {
        /// How often
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
        repeat: u32,
    },
}

/// Measures what `command` names.
pub(super) async fn bench(command: BenchCommand, place: &Place, console: &Console) -> Result<Exit, Failure> {
    match command {
        BenchCommand::Counter(args) => Box::pin(counter::run(*args, place, console)).await,
        BenchCommand::Forum(args) => Box::pin(forum::run(*args, place, console)).await,
        BenchCommand::Checker(args) => checker::run(&args, console),
        BenchCommand::Driver(args) => driver::driver(&args, console).await,
        BenchCommand::Up { repeat } => up::up(repeat, console).await,
    }
}

async fn start(name: &str, pg_bin: Option<std::path::PathBuf>) -> Result<Cluster, Failure> {
    let config = Config { name: name.to_owned(), pg_bin, ..Config::default() };
    Cluster::up(&config).await.map_err(failures::topology)
}
