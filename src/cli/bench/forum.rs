//! `replab bench forum`: accounts, comments and reactions under isolation levels, locks and compare-and-set.

mod remarks;

use super::race::RaceArgs;
use crate::cli::args::Place;
use crate::cli::console::Console;
use crate::cli::{Exit, Failure};
use crate::config::Plan;
use crate::history::Nanos;
use crate::isolation::Isolation;
use crate::report::bench::Original;
use crate::run::laps::{Contest, Design, Entry};
use crate::workload::bench::{Policy, Subject};
use crate::workload::forum::{Method, Reaction};

/// Below the flags.
pub(super) const HELP: &str = "\
Three contests: an account that is read, changed and written back (single); a comment that is added and counted (multiple);
users who each add one reaction to the same thread and raise its total (reactions). What is there in the end is compared with
what the clients were told. At read committed the first two lose updates: these are counted, and expected.

Examples:
  replab bench forum
  replab bench forum --only reactions --users 400 --clients 100
  replab bench forum --only reactions --backoffs 0,1ms,5ms    what a pause before a retry is good for
  replab bench forum --only reactions --deaths 10             what clients leave behind that die between two statements
  replab bench forum --only single,multiple --clients 1,4,16  how each isolation level grows with the clients
  replab bench forum --fault 'crash(primary)@2s'              what is there after a crash, method by method
  replab bench forum --plant unguarded                        every method without what makes it safe";

/// Clients and tasks of each, where they are not users.
const CLIENTS: u32 = 10;
const TASKS: u32 = 50;
/// Of the document that the bench grew out of.
const USERS: u32 = 100;
const RETRIES: u32 = 5;
const REPEAT: u32 = 6;

/// What is contested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Part {
    /// Read, change and write back an account
    Single,
    /// Add a comment and count it
    Multiple,
    /// Add a reaction and count it
    Reactions,
}

/// `replab bench forum`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only this contest; several with commas, or again [default: all]
    #[arg(long, value_name = "CONTEST", value_delimiter = ',', help_heading = "Load")]
    only: Vec<Part>,
    /// Clients, each with a connection of its own; with several numbers everything is measured with each of them
    /// [default: 10, and 100 of reactions]
    #[arg(long, value_name = "N", value_delimiter = ',', help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    clients: Vec<u32>,
    /// Updates or comments of each client in a lap [default: 50]
    #[arg(long, value_name = "N", help_heading = "Load", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    tasks: Option<u32>,
    /// Accounts that are shared where accounts are changed
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: u32,
    /// Users who add a reaction each, shared out among the clients
    #[arg(long, value_name = "N", default_value_t = USERS, help_heading = "Load")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    users: u32,
    /// Measure the reactions with each of these longest pauses before the first retry, such as 0,1ms,5ms
    #[arg(long, value_name = "TIMES", value_delimiter = ',', value_parser = pause, conflicts_with = "backoff")]
    #[arg(help_heading = "Load")]
    backoffs: Vec<Nanos>,
    /// Users whose client dies once it was told that its reaction is there, and before it sends anything else
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Faults")]
    deaths: u32,
    #[command(flatten)]
    race: RaceArgs,
}

/// A length of time; none at all needs no unit.
fn pause(text: &str) -> Result<Nanos, String> {
    match text {
        "0" => Ok(Nanos(0)),
        text => crate::fault::duration(text).map_err(|error| error.to_string()),
    }
}

/// Runs the command.
pub(super) async fn run(args: Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    args.validate()?;
    let most = args.parts().into_iter().flat_map(|part| args.clients(part)).max().unwrap_or(CLIENTS);
    let plan = args.race.plan(most, place)?;
    let contests = args.contests(&plan);
    let design = Design {
        name: "forum",
        remarks: remarks::of(&contests),
        contests,
        repeat: args.race.repeat().unwrap_or(REPEAT),
        mistake: args.race.mistake(),
        flags: args.flags(&plan),
        plan,
    };
    args.race.run(design, console).await
}

impl Args {
    fn parts(&self) -> Vec<Part> {
        let mut parts = self.only.clone();
        if parts.is_empty() {
            parts = vec![Part::Single, Part::Multiple, Part::Reactions];
        }
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    fn clients(&self, part: Part) -> Vec<u32> {
        let mut clients = self.clients.clone();
        if clients.is_empty() {
            // As many as can be, up to a connection for each of the original's users.
            let even = (1..=USERS).rev().find(|clients| self.users.is_multiple_of(*clients));
            clients.push(even.filter(|_| part == Part::Reactions).unwrap_or(CLIENTS));
        }
        clients.sort_unstable();
        clients.dedup();
        clients
    }

    /// What clap cannot see.
    fn validate(&self) -> Result<(), Failure> {
        let refuse =
            |error: String, help: &str| Err(Failure::new(Exit::Usage, anyhow::Error::msg(error)).help(help));
        let (parts, users) = (self.parts(), self.users);
        if self.race.has_duration() && self.tasks.is_some() {
            let why = "a lap ends after its tasks or after its time, and both were given".to_owned();
            return refuse(why, "leave out --tasks, or --duration and --fault");
        }
        if !parts.contains(&Part::Reactions) {
            return match (self.deaths, self.backoffs.as_slice()) {
                (0, []) => Ok(()),
                _ => refuse(
                    "--deaths and --backoffs are about reactions, which are not measured".to_owned(),
                    "leave them out, or add --only reactions",
                ),
            };
        }
        if self.deaths > users {
            return refuse(
                format!("{} of {users} users cannot die", self.deaths),
                "give --deaths at most as many as --users",
            );
        }
        for clients in self.clients(Part::Reactions) {
            if !users.is_multiple_of(clients) {
                let near = (users / clients).max(1) * clients;
                return refuse(
                    format!("{users} users cannot be shared out evenly among {clients} clients"),
                    &format!("give --users a multiple of --clients, such as --users {near}"),
                );
            }
        }
        Ok(())
    }

    fn contests(&self, plan: &Plan) -> Vec<Contest> {
        let mut contests = Vec::new();
        for part in self.parts() {
            for policy in self.policies(part) {
                for clients in self.clients(part) {
                    contests.push(self.contest(part, clients, policy, plan));
                }
            }
        }
        contests
    }

    /// What happens when somebody else was faster; the reactions may be measured with several answers to that.
    fn policies(&self, part: Part) -> Vec<Policy> {
        let policy = self.race.policy((part == Part::Reactions).then_some(RETRIES));
        match (part, self.backoffs.as_slice()) {
            (Part::Single | Part::Multiple, _) | (Part::Reactions, []) => vec![policy],
            (Part::Reactions, pauses) => {
                pauses.iter().map(|pause| Policy { backoff: (*pause).into(), ..policy }).collect()
            }
        }
    }

    fn contest(&self, part: Part, clients: u32, policy: Policy, plan: &Plan) -> Contest {
        let tasks = self.race.amount(self.tasks.unwrap_or(TASKS), plan);
        let levels = |method: fn(Isolation) -> Method| {
            Isolation::ALL.map(|level| Entry::of(Subject::Forum(method(level)))).into()
        };
        let contest = Contest {
            title: String::new(),
            value: "total",
            clients,
            amount: tasks,
            policy,
            slots: self.accounts,
            deaths: 0,
            entries: Vec::new(),
            base: Isolation::ReadCommitted.name(),
        };
        match part {
            Part::Single => Contest {
                title: format!("single object, {} accounts", self.accounts),
                value: "versions",
                entries: levels(Method::Account),
                ..contest
            },
            Part::Multiple => Contest {
                title: "multiple objects, comments on one thread".to_owned(),
                slots: clients,
                entries: levels(Method::Comment),
                ..contest
            },
            Part::Reactions => Contest {
                title: self.reactions(policy),
                amount: self.race.amount(self.users / clients, plan),
                slots: self.users,
                deaths: self.deaths,
                entries: Reaction::ALL.map(|reaction| self.entry(reaction, policy)).into(),
                base: Reaction::RowLock.name(),
                ..contest
            },
        }
    }

    fn reactions(&self, policy: Policy) -> String {
        let mut title = format!("reactions of {} users to one thread", self.users);
        if self.deaths > 0 {
            title += &format!(", {} of whom die", self.deaths);
        }
        match policy.backoff {
            _ if self.backoffs.is_empty() => {}
            pause if pause.is_zero() => title += ", no back-off",
            pause => title += &format!(", back-off {pause:?}"),
        }
        title
    }

    /// A method beside the original's figure, where as much is asked of it.
    fn entry(&self, reaction: Reaction, policy: Policy) -> Entry {
        let is_alike = self.users == USERS
            && policy == Policy { max_retries: Some(RETRIES), ..Policy::default() }
            && self.deaths == 0
            && self.race.mistake().is_none()
            && !self.race.has_duration();
        let entry = Entry::of(Subject::Forum(Method::Reaction(reaction)));
        Entry { original: is_alike.then(|| original(reaction)), ..entry }
    }

    fn flags(&self, plan: &Plan) -> String {
        let list = |numbers: &[u32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let mut flags = String::new();
        if !self.only.is_empty() {
            let names = self.parts().into_iter().filter_map(|part| clap::ValueEnum::to_possible_value(&part));
            let names: Vec<String> = names.map(|name| name.get_name().to_owned()).collect();
            flags += &format!(" --only {}", names.join(","));
        }
        if !self.clients.is_empty() {
            flags += &format!(" --clients {}", list(&self.clients));
        }
        if let Some(tasks) = self.tasks {
            flags += &format!(" --tasks {tasks}");
        }
        for (flag, value, usual) in
            [("accounts", self.accounts, 10), ("users", self.users, USERS), ("deaths", self.deaths, 0)]
        {
            if value != usual {
                flags += &format!(" --{flag} {value}");
            }
        }
        if !self.backoffs.is_empty() {
            let pauses: Vec<String> =
                self.backoffs.iter().map(|pause| crate::fault::format_duration(*pause)).collect();
            flags += &format!(" --backoffs {}", pauses.join(","));
        }
        flags + &self.race.flags(plan)
    }
}

/// Its figures: seconds, and what it counted, for 100 concurrent users.
fn original(reaction: Reaction) -> Original {
    let (seconds, value) = match reaction {
        Reaction::RowLock => (0.424, 100),
        Reaction::RepeatableRead => (0.325, 93),
        Reaction::CompareAndSet => (0.367, 18),
    };
    Original { seconds, value, tasks: u64::from(USERS) }
}
