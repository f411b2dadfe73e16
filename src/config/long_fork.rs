//! What the long fork needs, and what it brings along where it runs alone.

use super::error::Origin;
use super::layers::{Entry, Raw};
use super::plan::{TopologyKind, TopologyPlan};
use super::settings::key;
use super::validate::Check;
use super::workloads::WorkloadPlan;
use crate::fault::Schedule;
use crate::history::{Action, Nanos, NodeName};
use crate::topology::Method;

/// Where it runs alone: a replica that commits wait for, another one that shows them meanwhile, and the time for one fork.
/// The default schedule of such a run keeps the first one from receiving, see [`schedule`].
const ALONE: [(&str, &str); 4] = [
    ("topology.replicas", "2"),
    ("topology.synchronous_standbys", "FIRST 1"),
    ("load.duration", "1s"),
    ("faults.schedule", "default"),
];

/// The layer between the built-in file and what `layers` say, from the lowest to the highest; empty where another workload
/// runs. Of servers that somebody else runs only the load is its own to set.
pub(super) fn entries(layers: &[Vec<Entry>]) -> Vec<Entry> {
    let set = |path: &str| {
        layers.iter().flatten().rfind(|entry| entry.key.path() == path).map(|entry| &entry.value)
    };
    let name = WorkloadPlan::LongFork.name();
    match set("load.workloads") {
        Some(Raw::List(workloads)) if *workloads == [name] => {}
        _ => return Vec::new(),
    }
    let foreign = [TopologyKind::Urls, TopologyKind::Aurora].map(TopologyKind::as_str);
    let is_foreign =
        matches!(set("topology.kind"), Some(Raw::Text(kind)) if foreign.contains(&kind.as_str()));
    let settings = ALONE.into_iter().filter(|(path, _)| !is_foreign || !path.starts_with("topology."));
    let entry = |(path, text): (&str, &str)| {
        let value = text.parse().map_or_else(|_| Raw::Text(text.to_owned()), Raw::Number);
        let origin = Origin::Workload { name: name.to_owned() };
        key(path).map(|key| Entry { key, value, origin, excerpt: None })
    };
    settings.filter_map(entry).collect()
}

/// The default faults of a run of nothing else: once in a while the fewest replicas that commits wait for do not receive,
/// for half a second at most. None where no commit waits for one, or every replica would be kept from receiving.
pub(super) fn schedule(topology: &TopologyPlan, duration: Nanos) -> Schedule {
    let held = held_up(topology);
    if !topology.can(Action::Freeze) || held.len() >= topology.replicas {
        return Schedule::none();
    }
    Schedule::freezes(duration, &held)
}

fn held_up(topology: &TopologyPlan) -> Vec<NodeName> {
    let Some(standbys) = topology.standbys().filter(|_| topology.waits_for_standbys()) else {
        return Vec::new();
    };
    let members = topology.answering(NodeName::primary());
    match standbys.method {
        // However many more there are: it is there, and so it is waited for.
        Method::First => {
            let named = standbys.names.iter().find(|name| members.contains(name));
            named.or(members.first()).copied().into_iter().collect()
        }
        Method::Any => members.iter().copied().skip(standbys.count - 1).collect(),
    }
}

impl Check<'_> {
    /// Whether there are two nodes to disagree, and one that may be kept from receiving.
    pub(super) fn long_fork(&mut self, topology: &TopologyPlan, workloads: &[WorkloadPlan]) -> Option<()> {
        let (path, fewest, message) = match topology.kind {
            TopologyKind::Urls => {
                let message =
                    "longfork compares what readers of two nodes see: name a replica (--reader URL)";
                ("topology.readers", 1, message)
            }
            TopologyKind::Aurora => {
                let message =
                    "longfork compares what readers of two instances see, and the cluster has no reader";
                ("topology.replicas", 1, message)
            }
            _ => {
                let message = "longfork needs two replicas (--replicas 2): one that commits wait for while it does not \
                               receive, and one that shows them meanwhile";
                ("topology.replicas", 2, message)
            }
        };
        if workloads.contains(&WorkloadPlan::LongFork) && topology.replicas < fewest {
            return self.problem(path, message.to_owned());
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::check::Guarantee;
    use crate::config::{Loaded, Overrides, Plan, load};

    fn flags(workloads: &[&str]) -> Overrides {
        let workloads = workloads.iter().map(|&name| name.to_owned()).collect();
        Overrides { workloads, seed: Some(1), ..Overrides::default() }
    }

    fn loaded(flags: &Overrides, variables: &[(&str, &str)]) -> Loaded {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(flags, Some(Path::new("/dev/null")), variables).unwrap()
    }

    fn plan(flags: &Overrides) -> Plan {
        loaded(flags, &[]).plan
    }

    fn refused(flags: &Overrides) -> String {
        load(flags, Some(Path::new("/dev/null")), []).unwrap_err().to_string()
    }

    /// The settings that are not the built-in file's, each with where it comes from.
    fn shown(loaded: &Loaded) -> String {
        let set = loaded.settings.iter().filter(|one| one.origin != Origin::Default);
        let lines: Vec<String> =
            set.map(|one| format!("{} = {} ({})", one.key, one.value, one.origin)).collect();
        lines.join("\n")
    }

    #[test]
    fn alone_it_brings_along_what_a_fork_needs_and_says_so() {
        insta::assert_snapshot!(shown(&loaded(&flags(&["longfork"]), &[])), @r#"
        faults.schedule = "freeze(replica-1)@200ms,thaw(replica-1)@700ms" (workload longfork)
        load.duration = "1s" (workload longfork)
        load.seed = 1 (--seed)
        load.workloads = ["longfork"] (WORKLOAD)
        topology.replicas = 2 (workload longfork)
        topology.synchronous_standbys = "FIRST 1" (workload longfork)
        "#);
        // What a run has stored repeats it, and no layer comes in between.
        let plan = plan(&flags(&["longfork"]));
        let text = plan.to_toml();
        assert_eq!(toml::from_str::<Plan>(&text).unwrap(), plan);
    }

    #[test]
    fn whatever_is_set_wins() {
        let flags = Overrides { synchronous_standbys: Some("none".to_owned()), ..flags(&[]) };
        let variables = [
            ("REPLAB_LOAD__WORKLOADS", "longfork"),
            ("REPLAB_LOAD__DURATION", "2s"),
            ("REPLAB_TOPOLOGY__REPLICAS", "3"),
        ];
        insta::assert_snapshot!(shown(&loaded(&flags, &variables)), @r#"
        faults.schedule = "none" (workload longfork)
        load.duration = "2s" (REPLAB_LOAD__DURATION)
        load.seed = 1 (--seed)
        load.workloads = ["longfork"] (REPLAB_LOAD__WORKLOADS)
        topology.replicas = 3 (REPLAB_TOPOLOGY__REPLICAS)
        topology.synchronous_standbys = "none" (--sync-standbys)
        "#);
    }

    #[test]
    fn those_do_not_receive_that_commits_wait_for() {
        let schedule = |replicas, standbys: &str| {
            let standbys = Some(standbys.to_owned());
            let flags = flags(&["longfork"]);
            plan(&Overrides { replicas: Some(replicas), synchronous_standbys: standbys, ..flags })
                .faults
                .to_string()
        };
        insta::assert_snapshot!(schedule(3, "FIRST 1 (replica-3, replica-1)"), @"freeze(replica-3)@200ms,thaw(replica-3)@700ms");
        insta::assert_snapshot!(schedule(3, "ANY 2"), @"freeze(replica-2)@200ms,freeze(replica-3)@200ms,thaw(replica-2)@700ms,thaw(replica-3)@700ms");
        insta::assert_snapshot!(schedule(2, "ANY 1 (replica-2)"), @"freeze(replica-2)@200ms,thaw(replica-2)@700ms");
        // Nobody would be left to show what commits wait with.
        assert_eq!(schedule(2, "ANY 1"), "none");
        let local = Overrides { synchronous_commit: Some("local".to_owned()), ..flags(&["longfork"]) };
        assert!(plan(&local).faults.is_empty());
        let memory = Overrides { topology: Some("memory".to_owned()), ..flags(&["longfork"]) };
        assert!(plan(&memory).faults.is_empty() && plan(&memory).topology.replicas == 2);
    }

    #[test]
    fn of_servers_that_somebody_else_runs_nothing_is_set() {
        let url = |port: u16| format!("postgres://app@127.0.0.1:{port}/app");
        let urls = Overrides { writer: Some(url(1)), readers: vec![url(2)], ..flags(&["longfork"]) };
        let plan = plan(&urls);
        assert_eq!((plan.topology.replicas, plan.topology.synchronous_standbys.clone()), (1, None));
        assert!(plan.faults.is_empty() && plan.load.duration == Nanos::from_millis(1_000));
        insta::assert_snapshot!(refused(&Overrides { readers: Vec::new(), ..urls }), @"topology.readers: longfork compares what readers of two nodes see: name a replica (--reader URL)");
    }

    #[test]
    fn one_replica_is_not_enough_and_beside_others_it_brings_nothing_along() {
        insta::assert_snapshot!(refused(&Overrides { replicas: Some(1), ..flags(&["longfork"]) }), @"--replicas: longfork needs two replicas (--replicas 2): one that commits wait for while it does not receive, and one that shows them meanwhile");
        insta::assert_snapshot!(refused(&flags(&["append", "longfork"])), @"topology.replicas: longfork needs two replicas (--replicas 2): one that commits wait for while it does not receive, and one that shows them meanwhile");
        let both = plan(&Overrides { replicas: Some(2), ..flags(&["append", "longfork"]) });
        assert_eq!(both.load.duration, Nanos::from_millis(20_000));
        assert_eq!(both.topology.synchronous_standbys, None);
    }

    #[test]
    fn every_other_commit_waits_for_nobody_and_so_a_failover_may_lose_it() {
        let claims = |workload| {
            let failover = Overrides {
                replicas: Some(2),
                synchronous_standbys: Some("FIRST 2".to_owned()),
                duration: Some("2s".to_owned()),
                schedule: Some("promote(best)@1s".to_owned()),
                ..flags(&[workload])
            };
            plan(&failover).claims().claims(Guarantee::Durability, None)
        };
        assert_eq!([claims("append"), claims("longfork")], [true, false]);
    }
}
