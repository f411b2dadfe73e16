//! `replab bench counter`: ways to increment one counter.

use super::race::RaceArgs;
use crate::cli::args::Place;
use crate::cli::console::Console;
use crate::cli::{Exit, Failure, failures};
use crate::config::Plan;
use crate::report::bench::Original;
use crate::run::laps::{Contest, Design, Entry};
use crate::topology::local::{Binaries, Pgbench};
use crate::workload::bench::Subject;
use crate::workload::counter::Method;

/// Below the flags.
pub(super) const HELP: &str = "\
Every increment is a transaction of its own, all clients want the same counter, and what it holds in the end is compared with
what the clients were told. The one method that loses increments is there to show it: its losses are counted, and expected.

Examples:
  replab bench counter
  replab bench counter --full                       the size of the original: 10 clients x 10,000, once
  replab bench counter --clients 1,2,4,8,16,32,64   how each method grows with the clients
  replab bench counter --method in-place,row-lock --pgbench --repeat 10
  replab bench counter --fault 'crash(primary)@2s'  what is there after a crash, method by method
  replab bench counter --plant unguarded            every method without what makes it safe";

/// Tasks of each client.
const INCREMENTS: u32 = 100;
/// Of the document that the bench grew out of.
const FULL: u32 = 10_000;
const REPEAT: u32 = 6;
const BASE: Method = Method::InPlace;

/// `replab bench counter`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only these methods; several with commas [default: all]
    #[arg(long, value_name = "METHOD", value_delimiter = ',', value_parser = method, help_heading = "Load")]
    method: Vec<Method>,
    /// Clients, each with a connection of its own; with several numbers everything is measured with each of them
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10", help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    clients: Vec<u32>,
    /// Increments of each client in a lap [default: 100]
    #[arg(long, value_name = "N", help_heading = "Load", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    increments: Option<u32>,
    /// The original's size: 10,000 increments of each client, once, beside the original's figures
    #[arg(long, conflicts_with_all = ["increments", "duration", "fault"], help_heading = "Load")]
    full: bool,
    /// Rows that share the sharded counter
    #[arg(long, value_name = "N", default_value_t = 16, help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    slots: u32,
    /// Measure pgbench, too: in place, prepared statements, as many clients and increments
    #[arg(long, conflicts_with = "fault", help_heading = "Load")]
    pgbench: bool,
    #[command(flatten)]
    race: RaceArgs,
}

fn method(text: &str) -> Result<Method, String> {
    Method::ALL.into_iter().find(|method| method.name() == text).ok_or_else(|| {
        let names: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
        format!(
            "no such method{}; known are {}",
            crate::suggest::hint(text, names.iter().copied()),
            names.join(", ")
        )
    })
}

/// Runs the command.
pub(super) async fn run(args: Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    if args.race.has_duration() && args.increments.is_some() {
        let error = anyhow::anyhow!("a lap ends after its increments or after its time, and both were given");
        return Err(
            Failure::new(Exit::Usage, error).help("leave out --increments, or --duration and --fault")
        );
    }
    let mut clients = args.clients.clone();
    clients.sort_unstable();
    clients.dedup();
    let plan = args.race.plan(clients.last().copied().unwrap_or(1), place)?;
    let peer = if args.pgbench { Some(pgbench(&plan).await?) } else { None };
    let mut methods = if args.method.is_empty() { Method::ALL.to_vec() } else { args.method.clone() };
    methods.sort_unstable();
    methods.dedup();
    let each = args.increments.unwrap_or(if args.full { FULL } else { INCREMENTS });
    let contest = |clients: u32| {
        let entry = |method: &Method| Entry {
            original: original(*method).filter(|_| args.full && clients == 10),
            ..Entry::of(Subject::Counter(*method))
        };
        let peer =
            peer.clone().map(|pgbench| Entry { peer: Some(pgbench), ..Entry::of(Subject::Counter(BASE)) });
        Contest {
            title: "increments of one counter".to_owned(),
            value: "counter",
            clients,
            amount: args.race.amount(each, &plan),
            policy: args.race.policy(None),
            slots: args.slots,
            deaths: 0,
            base: if methods.contains(&BASE) { BASE.name() } else { methods[0].name() },
            entries: methods.iter().map(entry).chain(peer).collect(),
        }
    };
    let design = Design {
        name: "counter",
        contests: clients.iter().map(|clients| contest(*clients)).collect(),
        repeat: args.race.repeat().unwrap_or(if args.full { 1 } else { REPEAT }),
        mistake: args.race.mistake(),
        flags: flags(&args, &clients, &plan),
        remarks: if args.full { REMARKS.map(str::to_owned).into() } else { Vec::new() },
        plan,
    };
    args.race.run(design, console).await
}

/// What the original's figures are worth here.
const REMARKS: [&str; 2] = [
    "The original's clients were threads of Python with psycopg2, its server a container on another machine: a ratio compares \
     two whole set-ups, and says nothing about a method. What can be compared is the order of the methods within each of them.",
    "The original's lost-update is counted by its 100,000 attempts, of which 10,427 were there in the end; so is ours.",
];

/// Its table: seconds, and what the counter held, for 10 clients with 10,000 increments each.
fn original(method: Method) -> Option<Original> {
    let (seconds, value) = match method {
        Method::LostUpdate => (379.50, 10_427),
        Method::InPlace => (372.08, 100_000),
        Method::RowLock => (393.16, 100_000),
        Method::Optimistic => (534.72, 100_000),
        _ => return None,
    };
    Some(Original { seconds, value, tasks: 100_000 })
}

fn flags(args: &Args, clients: &[u32], plan: &Plan) -> String {
    let clients: Vec<String> = clients.iter().map(ToString::to_string).collect();
    let mut flags = format!(" --clients {}", clients.join(","));
    if !args.method.is_empty() {
        let names: Vec<&str> = args.method.iter().map(|method| method.name()).collect();
        flags += &format!(" --method {}", names.join(","));
    }
    if args.full {
        flags += " --full";
    }
    if let Some(increments) = args.increments {
        flags += &format!(" --increments {increments}");
    }
    if args.pgbench {
        flags += " --pgbench";
    }
    if args.slots != 16 {
        flags += &format!(" --slots {}", args.slots);
    }
    flags + &args.race.flags(plan)
}

/// Where pgbench is.
async fn pgbench(plan: &Plan) -> Result<Pgbench, Failure> {
    let binaries = Binaries::discover(plan.topology.pg_bin.as_deref()).await.map_err(failures::topology)?;
    Pgbench::find(&binaries).ok_or_else(|| {
        let error = anyhow::anyhow!("there is no pgbench in {} nor in PATH", binaries.directory.display());
        Failure::new(Exit::Environment, error).help("Debian, Ubuntu: apt-get install postgresql-contrib")
    })
}
