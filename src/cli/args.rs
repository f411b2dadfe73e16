//! The arguments as typed. What they mean is decided by `config`, so that a flag, a variable and a line of a file are
//! refused in the same words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::clusters::Which;
use super::setting::SettingArgs;
use super::{
    anomalies, aurora, bench, check, config, doctor, down, fault, gc, guard, help, logs, matrix, psql,
    shrink, soak, status, up,
};
use crate::config::Overrides;
use crate::topology::memory::Bug;

/// A replication lab for PostgreSQL primaries and replicas.
#[derive(Debug, Parser)]
#[command(name = "replab", version, about, long_about = help::ABOUT, after_long_help = help::AFTER)]
#[command(disable_help_subcommand = false, propagate_version = false, max_term_width = 100)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What every command takes.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// Print exactly one JSON document on stdout, for errors too
    #[arg(long, global = true, help_heading = "Output")]
    pub(super) json: bool,
    /// Only the result: no progress, no notes
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(super) quiet: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub(super) color: ColorWhen,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Where the configuration and the runs are.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Place {
    /// The configuration file [default: replab.toml of this folder, if there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Places")]
    pub(super) config: Option<PathBuf>,
    /// Where the runs are kept [default: runs]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Places")]
    pub(super) runs: Option<PathBuf>,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Even into a file.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a cluster, load it, break it, judge it, report
    #[command(after_long_help = help::run())]
    Run(Box<RunArgs>),
    /// Break a cluster many times over, and see that nothing leaks
    Soak(soak::Args),
    /// Measure settings against faults: what was lost, for how long it was unavailable
    #[command(after_long_help = matrix::HELP)]
    Matrix(Box<matrix::Args>),
    /// Play scripted interleavings, and see what isolation levels and replicas allow
    #[command(after_long_help = anomalies::HELP)]
    Anomalies(Box<anomalies::Args>),
    /// Judge a stored run again, without a cluster
    Check(check::Args),
    /// The smallest part of a history that still shows an anomaly, and scripts that play it
    #[command(after_long_help = shrink::HELP)]
    Shrink(shrink::Args),
    /// Print a stored run in any format
    Report(ReportArgs),
    /// List and remove stored runs
    Runs {
        /// What to do with them.
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Start a primary and its replicas, and leave them running
    Up(up::Args),
    /// Show the clusters that are up, and how their nodes are
    Status(status::Args),
    /// Break and heal a cluster that is up
    Fault {
        /// What to do with faults.
        #[command(subcommand)]
        command: fault::FaultCommand,
    },
    /// Open psql on a node, the password filled in
    Psql(psql::Args),
    /// Show a node's log
    Logs(logs::Args),
    /// Stop a cluster and remove its data; its logs stay
    Down(down::Args),
    /// An Aurora-shaped cluster on this machine
    Aurora {
        /// What to do with it.
        #[command(subcommand)]
        command: aurora::AuroraCommand,
    },
    /// End and remove what killed runs left behind
    Gc(gc::Args),
    /// Not for people: waits on stdin, and ends the cluster in DIR when that closes
    #[command(hide = true)]
    Guard(guard::Args),
    /// Print the order system's tables of every node of a cluster that is up
    Tables(TablesArgs),
    /// Measure ways to do the same against each other, and the lab against its peers
    Bench {
        /// What to measure.
        #[command(subcommand)]
        command: bench::BenchCommand,
    },
    /// Show the settings with where each comes from
    Config {
        /// What to show.
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Say what is missing on this machine and how to get it
    Doctor(doctor::DoctorArgs),
}

/// `replab run`.
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// orders, counter, counters, append, register, longfork, bank, set, or several [default: orders counter]; longfork alone
    /// brings its own cluster, faults and duration of one second
    #[arg(value_name = "WORKLOAD")]
    pub(super) workloads: Vec<String>,
    #[command(flatten)]
    pub(super) settings: SettingArgs,
    /// Place the three orders of the seed document, show the tables of every node, and stop
    #[arg(long, conflicts_with_all = [
        "duration", "operations", "clients", "products", "stock", "keys", "isolation", "fault", "no_faults", "require", "threshold",
    ])]
    pub(super) example: bool,
    /// Print the plan as a configuration file, and stop
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Plant a bug in the in-memory cluster, to see a check fail
    #[arg(long, value_name = "BUG", help_heading = "Cluster")]
    pub(super) plant: Option<Bug>,
    /// Filled in from [`Global`].
    #[arg(skip)]
    pub(super) place: Place,
}

/// `replab report`.
#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// A run's id, the beginning of one, its directory, or latest
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(super) run: String,
    /// The format [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Make the files in the run's directory anew, too
    #[arg(long)]
    pub(super) rewrite: bool,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for a terminal.
    Text,
    /// results.json.
    Json,
    /// One self-contained page.
    Html,
    /// For a pull request.
    #[value(name = "md", alias = "markdown")]
    Markdown,
    /// For CI.
    Junit,
}

/// `replab runs`.
#[derive(Debug, Subcommand)]
pub(super) enum RunsCommand {
    /// Every stored run, the oldest first
    List,
    /// One run in a few lines
    Show {
        /// A run's id, the beginning of one, its directory, or latest
        #[arg(value_name = "RUN", default_value = "latest")]
        run: String,
    },
    /// Remove a run
    Rm {
        /// A run's id, the beginning of one, or its directory
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Remove all but the newest runs
    Prune {
        /// How many stay
        #[arg(long, value_name = "N", default_value_t = 20)]
        keep: usize,
    },
}

/// `replab tables`.
#[derive(Args, Debug)]
pub(super) struct TablesArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// The newest rows of each table that are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) limit: u32,
}

impl RunArgs {
    /// As the highest layer of the configuration. The example is orders of three products and nothing else.
    pub(super) fn overrides(&self) -> Overrides {
        let mut overrides = self.settings.overrides(&self.workloads, &self.place);
        if self.example {
            overrides.products = Some(3);
            overrides.schedule = Some("none".to_owned());
            if overrides.workloads.is_empty() {
                overrides.workloads = vec!["orders".to_owned()];
            }
        }
        overrides
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn run(line: &str) -> RunArgs {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Some(Command::Run(args)) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn refused(line: &str) -> String {
        Cli::try_parse_from(line.split(' ')).unwrap_err().to_string()
    }

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_reaches_the_configuration() {
        let mut args = run(
            "replab run orders counter --topology memory --replicas 2 --synchronous-commit off --sync-standbys ANY_1 --cascade replica-2<-replica-1 \
            --hot-standby-feedback on --apply-delay 1s --writer w --reader r1 --reader r2 --keep --allow-faults --cluster c --region e --profile p --endpoint-url x --database d --db-user u --auth iam --sslmode m --ca-bundle f --consistency-mode global --pg-bin b --image i \
            --port 5000 --duration 9s --operations 10 --clients 3 --products 4 --stock 5 --keys 6 --isolation rr --seed 7 \
            --fault crash(primary)@1s --require durability --require atomicity --threshold lag.p99<1s --runs r",
        );
        args.place.runs = Some(PathBuf::from("r"));
        let text = |text: &str| Some(text.to_owned());
        let expected = Overrides {
            workloads: vec!["orders".to_owned(), "counter".to_owned()],
            topology: text("memory"),
            replicas: Some(2),
            pg_bin: Some(PathBuf::from("b")),
            image: text("i"),
            port: Some(5000),
            synchronous_commit: text("off"),
            synchronous_standbys: text("ANY_1"),
            cascade: vec!["replica-2<-replica-1".to_owned()],
            hot_standby_feedback: text("on"),
            recovery_min_apply_delay: text("1s"),
            writer: text("w"),
            readers: vec!["r1".to_owned(), "r2".to_owned()],
            keep: true,
            cluster: text("c"),
            region: text("e"),
            profile: text("p"),
            endpoint_url: text("x"),
            database: text("d"),
            db_user: text("u"),
            auth: text("iam"),
            sslmode: text("m"),
            ca_bundle: Some(PathBuf::from("f")),
            consistency_mode: text("global"),
            allow_faults: true,
            duration: text("9s"),
            operations: Some(10),
            seed: Some(7),
            clients: Some(3),
            products: Some(4),
            stock: Some(5),
            keys: Some(6),
            isolation: text("rr"),
            schedule: text("crash(primary)@1s"),
            require: vec!["durability".to_owned(), "atomicity".to_owned()],
            thresholds: vec!["lag.p99<1s".to_owned()],
            runs: Some(PathBuf::from("r")),
        };
        assert_eq!(args.overrides(), expected);
        assert_eq!(run("replab run").overrides(), Overrides::default());
        assert_eq!(run("replab run --no-faults").overrides().schedule, text("none"));
        assert_eq!(
            run("replab run --seed -1").overrides().seed,
            Some(-1),
            "refused by the configuration, not by clap"
        );
    }

    #[test]
    fn the_example_is_orders_and_nothing_else() {
        let plan = |line: &str| {
            crate::config::load(&run(line).overrides(), Some(std::path::Path::new("/dev/null")), [])
                .unwrap()
                .plan
        };
        for line in ["replab run orders --example", "replab run --example"] {
            let plan = plan(line);
            assert_eq!(plan.orders().unwrap().products, 3);
            assert_eq!(plan.workloads.len(), 1);
            assert!(plan.faults.is_empty());
        }
        assert!(refused("replab run --example --duration 3s").contains("cannot be used with"));
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(refused("replab run --fault x --no-faults").contains("cannot be used with"));
        assert!(refused("replab run --replicas two").contains("invalid value 'two'"));
        assert!(refused("replab run --duraton 3s").contains("'--duration'"));
        assert!(refused("replab check --require speed").contains("`speed` is not a guarantee"));
    }

    #[test]
    fn global_flags_go_anywhere() {
        for line in ["replab --json -q runs --runs r list", "replab runs list --quiet --json --runs r"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.global.json && cli.global.quiet, "{line}");
            assert_eq!(cli.global.place.runs, Some(PathBuf::from("r")), "{line}");
        }
    }
}
