//! The `replab` program.

use clap::Parser;
use replab::cli;

#[derive(Parser)]
enum Command {
    Up(cli::up::Args),
    Status(cli::status::Args),
    Psql(cli::psql::Args),
    Logs(cli::logs::Args),
    Down(cli::down::Args),
    Gc(cli::gc::Args),
    Guard(cli::guard::Args),
}

#[expect(clippy::print_stderr, reason = "until the command tree of cli::args prints its failures")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let done = match Command::parse() {
        Command::Up(args) => cli::up::run(args).await,
        Command::Status(args) => cli::status::run(args).await,
        Command::Psql(args) => cli::psql::run(args).await,
        Command::Logs(args) => cli::logs::run(args).await,
        Command::Down(args) => cli::down::run(args).await,
        Command::Gc(args) => cli::gc::run(args).await,
        Command::Guard(args) => cli::guard::run(args).await,
    };
    done.map_or_else(
        |failure| {
            eprintln!("{failure}");
            failure.exit
        },
        |exit| exit,
    )
    .into()
}
