//! Judgements, claims and facts of the sample reports.

use replab::check::{Claims, Count, EventRef, Finding, Guarantee, Judgement, Verdict};
use replab::history::NodeName;
use replab::report::{NodeFacts, RunFacts, Setting};

pub(super) fn judgement(check: &str, workload: &str, guarantee: Guarantee, summary: &str) -> Judgement {
    Judgement {
        check: check.to_owned(),
        workload: workload.to_owned(),
        guarantee,
        node: None,
        claimed: true,
        verdict: Verdict::Pass,
        summary: summary.to_owned(),
        counts: Vec::new(),
        lost: None,
        violations: 0,
        findings: Vec::new(),
    }
}

pub(super) fn on(node: &str, judgement: Judgement) -> Judgement {
    Judgement { node: Some(NodeName::new(node)), ..judgement }
}

pub(super) fn unclaimed(verdict: Verdict, judgement: Judgement) -> Judgement {
    Judgement { claimed: false, verdict, ..judgement }
}

pub(super) fn stale_reads() -> Judgement {
    let summary = "41 of 8,204 reads missed their own writer's last commit, by at most 312 ms";
    let mut judgement = unclaimed(
        Verdict::Fail,
        on("replica-1", judgement("session", "counter", Guarantee::ReadYourWrites, summary)),
    );
    judgement.violations = 41;
    judgement.counts = vec![
        Count { name: "reads of own writes".to_owned(), value: 8_204 },
        Count { name: "stale reads".to_owned(), value: 41 },
    ];
    judgement.findings = (0..6)
        .map(|n| Finding {
            message: format!(
                "counter 17 read as {} after increment to {} was acknowledged",
                410 + n,
                412 + n
            ),
            events: vec![event("counter", 9_120 + 40 * n), event("counter", 9_131 + 40 * n)],
        })
        .collect();
    judgement
}

pub(super) fn event(workload: &str, index: u64) -> EventRef {
    EventRef { workload: workload.to_owned(), index }
}

pub(super) fn claims() -> Claims {
    use Guarantee::{Atomicity, Convergence, Durability, ExactlyOnce, MonotonicReads, ReadYourWrites};
    Claims {
        everywhere: [Durability, ExactlyOnce, Atomicity, Convergence].into(),
        on_primary: [ReadYourWrites, MonotonicReads].into(),
        primary: Some(NodeName::primary()),
    }
}

pub(super) fn run(synchronous_commit: &str, faults: &str) -> RunFacts {
    RunFacts {
        id: "2026-11-21T10-15-02-orders-counter-42".to_owned(),
        directory: "runs/2026-11-21T10-15-02-orders-counter-42".to_owned(),
        started: "2026-11-21T10:15:02+01:00".to_owned(),
        version: "0.1.0".to_owned(),
        topology: "local, 1 primary + 1 replica".to_owned(),
        workloads: "orders (8 clients), counter (8 clients)".to_owned(),
        faults: faults.to_owned(),
        duration_seconds: 30.0,
        operations: None,
        seed: 42,
        reproduce: format!(
            "replab run orders counter --duration 30s --replicas 1 --synchronous-commit {synchronous_commit} --fault '{faults}' --seed 42"
        ),
        machine: vec![
            "Linux 6.1.0-18-amd64 x86_64".to_owned(),
            "2 cores, 7.8 GB of memory".to_owned(),
            "PostgreSQL 15.18 (Debian 15.18-0+deb12u1)".to_owned(),
        ],
        plan: format!(
            "seed = 42\n\n[cluster]\nreplicas = 1\nsynchronous_commit = \"{synchronous_commit}\"\n\n[load]\nduration = \"30s\"\nclients = 8\n\n[faults]\nschedule = \"{faults}\"\n"
        ),
    }
}

pub(super) fn node(name: &str, role: &str, synchronous_commit: &str) -> NodeFacts {
    let settings = [
        ("fsync", "on", Some("on")),
        ("full_page_writes", "on", Some("on")),
        ("synchronous_commit", synchronous_commit, Some("on")),
        ("data_checksums", "on", None),
        ("synchronous_standby_names", "", None),
        ("wal_writer_delay", "200ms", None),
    ];
    NodeFacts {
        node: NodeName::new(name),
        role: role.to_owned(),
        version: "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu".to_owned(),
        instance: None,
        settings: settings
            .into_iter()
            .map(|(name, value, required)| Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                required: required.map(str::to_owned),
            })
            .collect(),
    }
}
