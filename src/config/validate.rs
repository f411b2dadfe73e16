//! From settings to a plan: every value looked at, all that is wrong with them collected.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use crate::check::Guarantee;
use crate::fault::{Profile, Schedule, duration, format_duration};
use crate::history::{Action, Nanos, NodeName};
use crate::suggest::hint;
use crate::topology::{Cascade, Wanted};

use super::aurora::MOST_READERS;
use super::error::{Origin, Problem};
use super::layers::Entry;
use super::long_fork;
use super::plan::{ChecksPlan, LoadPlan, Plan, ReadersPlan, TopologyKind, TopologyPlan};
use super::settings::Settings;
use super::workloads::WorkloadPlan;

const DAY: Nanos = Nanos::from_millis(24 * 3_600_000);
const HOUR: Nanos = Nanos::from_millis(3_600_000);
const MILLISECOND: Nanos = Nanos::from_millis(1);
const SHORTEST_PAUSE: Nanos = Nanos(100_000);
const LONGEST_PAUSE: Nanos = Nanos::from_millis(60_000);
const MAX_REPLICAS: i64 = 16;
/// The last reads wait for replicas, and not for ever.
const LONGEST_DELAY: Nanos = Nanos::from_millis(30_000);

/// The plan, or `None` when something was added to `problems`.
pub(super) fn plan(
    settings: &Settings,
    entries: &BTreeMap<String, Entry>,
    allow_faults: bool,
    problems: &mut Vec<Problem>,
) -> Option<Plan> {
    let before = problems.len();
    let mut check = Check { entries, allow_faults, problems };
    let plan = check.plan(settings);
    plan.filter(|_| problems.len() == before)
}

impl TryFrom<Settings> for Plan {
    type Error = String;

    fn try_from(settings: Settings) -> Result<Plan, String> {
        let mut problems = Vec::new();
        plan(&settings, &BTreeMap::new(), true, &mut problems).ok_or_else(|| {
            let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
            lines.join("\n")
        })
    }
}

pub(super) struct Check<'a> {
    entries: &'a BTreeMap<String, Entry>,
    /// Whether faults may be injected into somebody else's cluster.
    pub(super) allow_faults: bool,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn plan(&mut self, settings: &Settings) -> Option<Plan> {
        let Settings { topology, aurora, load, readers, faults, checks, output, .. } = settings;
        let replicas = self.number("topology.replicas", topology.replicas, 0..=MAX_REPLICAS);
        let port = topology.port.map(|port| {
            self.number(
                "topology.port",
                port,
                1..=i64::from(u16::MAX) - topology.replicas.clamp(0, MAX_REPLICAS),
            )
        });
        let kind = self.word("topology.kind", &topology.kind);
        let urls = kind.and_then(|kind| self.urls(kind, topology));
        let aurora = kind.and_then(|kind| self.aurora(kind, topology, aurora));
        let synchronous_commit = self.word("topology.synchronous_commit", &topology.synchronous_commit);
        let standbys = topology.synchronous_standbys.as_ref();
        let standbys = standbys.map(|text| self.word("topology.synchronous_standbys", text));
        let cascade: Option<Vec<Cascade>> =
            topology.cascade.iter().map(|text| self.word("topology.cascade", text)).collect();
        let feedback = self.word("topology.hot_standby_feedback", &topology.hot_standby_feedback);
        let delay = self.duration(
            "topology.recovery_min_apply_delay",
            &topology.recovery_min_apply_delay,
            Nanos(0)..=LONGEST_DELAY,
        );
        let pg_bin = topology.pg_bin.as_ref().map(|folder| self.path("topology.pg_bin", folder));
        let image = self.image(&topology.image);
        let length = self.duration("load.duration", &load.duration, MILLISECOND..=DAY);
        let operations = load.operations.map(|cap| self.number("load.operations", cap, 1..=1_000_000_000));
        let seed = self.number("load.seed", load.seed.unwrap_or(0), 0..=i64::MAX);
        let statement_deadline =
            self.duration("load.statement_deadline", &load.statement_deadline, MILLISECOND..=HOUR);
        let connect_deadline =
            self.duration("load.connect_deadline", &load.connect_deadline, MILLISECOND..=HOUR);
        let workloads = self.workloads(settings);
        let per_node = self.number("readers.per_node", readers.per_node, 1..=64);
        let interval = self.duration("readers.interval", &readers.interval, SHORTEST_PAUSE..=LONGEST_PAUSE);
        let stock_interval =
            self.duration("readers.stock_interval", &readers.stock_interval, SHORTEST_PAUSE..=LONGEST_PAUSE);
        let require: Option<Vec<Guarantee>> =
            checks.require.iter().map(|name| self.guarantee(name)).collect();
        let runs = self.path("output.runs", &output.runs)?;

        let mut topology = TopologyPlan {
            kind: kind?,
            replicas: replicas?,
            pg_bin: all(pg_bin)?,
            image: image?,
            port: all(port)?,
            synchronous_commit: synchronous_commit?,
            synchronous_standbys: all(standbys)?,
            cascade: cascade?,
            hot_standby_feedback: feedback?,
            recovery_min_apply_delay: delay?,
            urls: urls?,
            aurora: aurora?,
        };
        if let Some(urls) = &topology.urls {
            topology.replicas = self.as_many_as_readers(urls, &topology)?;
        }
        // Nobody has looked at the cluster yet; a plan that was read from a value says what was found.
        if topology.kind == TopologyKind::Aurora
            && !self.entries.is_empty()
            && !self.is_set("topology.replicas")
        {
            topology.replicas = MOST_READERS;
        }
        if topology.is_foreign() {
            self.own_cluster_only(&topology)?;
        }
        let workloads = workloads?;
        self.long_fork(&topology, &workloads)?;
        self.standbys(&topology)?;
        let load = LoadPlan {
            duration: length?,
            operations: all(operations)?,
            seed: seed?,
            statement_deadline: statement_deadline?,
            connect_deadline: connect_deadline?,
        };
        let faults = self.schedule(&faults.schedule, &topology, &load, &workloads)?;
        Some(Plan {
            topology,
            load,
            workloads,
            readers: ReadersPlan {
                per_node: per_node?,
                interval: interval?,
                stock_interval: stock_interval?,
            },
            faults,
            checks: ChecksPlan {
                require: require?.into_iter().collect(),
                thresholds: checks.thresholds.clone(),
            },
            runs,
        })
    }

    /// Whether every commit can get the answers that it waits for, and every replica the log.
    fn standbys(&mut self, topology: &TopologyPlan) -> Option<()> {
        if topology.is_foreign() {
            return Some(());
        }
        let waits = topology.synchronous_standbys != Some(Wanted::Nobody);
        if waits && topology.synchronous_commit.names_replicas() && topology.replicas == 0 {
            let message = format!("{} waits for a replica, and there is none", topology.synchronous_commit);
            return self.problem("topology.synchronous_commit", message);
        }
        let nodes = topology.nodes();
        self.take("topology.cascade", Cascade::check(&topology.cascade, &nodes))?;
        if topology.kind == TopologyKind::Compose && !topology.cascade.is_empty() {
            let message = "in containers every replica receives from the primary; use --topology local";
            return self.problem("topology.cascade", message.to_owned());
        }
        let Some(Wanted::These(standbys)) = &topology.synchronous_standbys else { return Some(()) };
        self.take("topology.synchronous_standbys", standbys.check(&nodes))?;
        let answering = topology.answering(NodeName::primary()).len();
        if standbys.count > answering {
            let message = format!(
                "`{standbys}` waits for {}, and {answering} receive from the primary",
                standbys.count
            );
            return self.problem("topology.synchronous_standbys", message);
        }
        Some(())
    }

    /// Reports a problem at the place where `path` was set.
    pub(super) fn problem<T>(&mut self, path: &str, message: String) -> Option<T> {
        let entry = self.entries.get(path).filter(|entry| !entry.origin.is_built_in());
        self.problems.push(Problem {
            place: entry.map_or_else(|| path.to_owned(), |entry| entry.origin.to_string()),
            message,
            excerpt: entry.and_then(|entry| entry.excerpt.clone()),
            is_usage: entry.is_some_and(|entry| matches!(entry.origin, Origin::Flag { .. })),
        });
        None
    }

    /// Whether somebody set it.
    pub(super) fn is_set(&self, path: &str) -> bool {
        self.entries.get(path).is_some_and(|entry| !entry.origin.is_built_in())
    }

    /// Takes the value, or reports why it is none.
    pub(super) fn take<T>(&mut self, path: &str, value: Result<T, impl Display>) -> Option<T> {
        value.map_or_else(|error| self.problem(path, error.to_string()), Some)
    }

    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        path: &str,
        number: i64,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        let (low, high) = (range.start(), range.end());
        let value = Some(number).filter(|number| range.contains(number)).and_then(|n| T::try_from(n).ok());
        self.take(path, value.ok_or_else(|| format!("it must be between {low} and {high}, but is {number}")))
    }

    fn duration(&mut self, path: &str, text: &str, range: RangeInclusive<Nanos>) -> Option<Nanos> {
        let length = self.take(path, duration(text))?;
        if range.contains(&length) {
            return Some(length);
        }
        let (low, high) = (format_duration(*range.start()), format_duration(*range.end()));
        self.problem(path, format!("it must be between {low} and {high}, but is {text}"))
    }

    pub(super) fn word<T: FromStr<Err = String>>(&mut self, path: &str, text: &str) -> Option<T> {
        self.take(path, text.parse())
    }

    pub(super) fn path(&mut self, path: &str, folder: &str) -> Option<PathBuf> {
        if folder.is_empty() {
            self.problem(path, "it must not be empty".to_owned())
        } else {
            Some(folder.into())
        }
    }

    fn image(&mut self, name: &str) -> Option<String> {
        // Nothing that a command line could take for an option; the rest is the engine's to judge.
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(allowed) {
            return self.problem("topology.image", format!("`{name}` is not the name of an image"));
        }
        Some(name.to_owned())
    }

    fn guarantee(&mut self, name: &str) -> Option<Guarantee> {
        let known = || Guarantee::ALL.into_iter().map(Guarantee::name);
        let unknown = || {
            let names: Vec<&str> = known().collect();
            format!("`{name}` is not a guarantee{}; known are {}", hint(name, known()), names.join(", "))
        };
        self.take("checks.require", name.parse().map_err(|_: String| unknown()))
    }

    fn schedule(
        &mut self,
        text: &str,
        topology: &TopologyPlan,
        load: &LoadPlan,
        workloads: &[WorkloadPlan],
    ) -> Option<Schedule> {
        if text.trim() == "default" {
            // Nobody breaks what somebody else relies on unless told to.
            return Some(match topology.kind {
                TopologyKind::Urls | TopologyKind::Aurora => Schedule::none(),
                _ if *workloads == [WorkloadPlan::LongFork] => long_fork::schedule(topology, load.duration),
                _ => Schedule::default_for(load.seed, load.duration, topology.replicas),
            });
        }
        let can = |action| topology.can(action);
        if let Ok(profile) = text.trim().parse::<Profile>() {
            let schedule = profile.schedule(load.seed, load.duration, &topology.nodes(), can);
            if schedule.is_empty() {
                let message = format!(
                    "nothing of the profile {profile} can be done to this cluster within {}",
                    format_duration(load.duration)
                );
                return self.problem("faults.schedule", message);
            }
            return self.commands(&schedule, topology).map(|()| schedule);
        }
        let schedule: Schedule = self.take("faults.schedule", text.parse())?;
        self.commands(&schedule, topology)?;
        let valid = schedule.validate(&topology.nodes(), can, load.duration);
        let schedule = self.take("faults.schedule", valid.map(|()| schedule))?;
        let cancels = schedule.steps().iter().find(|step| step.action == Action::CancelSyncWait);
        match cancels {
            Some(step) if !topology.waits_for_standbys() => {
                let message = format!(
                    "{step}: no commit of this cluster ever waits for a standby; see --sync-standbys"
                );
                self.problem("faults.schedule", message)
            }
            _ => Some(schedule),
        }
    }
}

/// An optional setting that is absent is fine; one that is present has to be right.
pub(super) fn all<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(None) => None,
        Some(value) => Some(value),
    }
}
