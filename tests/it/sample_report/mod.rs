//! Reports as real runs give them, made by hand: what the renderers are tested with.

mod facts;
mod figures;

use std::collections::BTreeMap;

use replab::check::{Count, Finding, Guarantee, Judgement, Verdict};
use replab::history::NodeName;
use replab::report::{Report, Threshold};

use facts::{claims, event, judgement, node, on, run, stale_reads, unclaimed};

pub(crate) use figures::lag;

/// A valid run of 30 s: the primary crashed at 8 s, the replica restarted at 16 s. Stale reads of the replica are
/// observed and not claimed.
pub(crate) fn valid() -> Report {
    let mut judgements = vec![
        judgement(
            "durability",
            "orders",
            Guarantee::Durability,
            "no counter-example in 24,410 acknowledged orders over 2 faults",
        ),
        judgement(
            "counter",
            "counter",
            Guarantee::Durability,
            "no counter-example in 31,877 acknowledged increments of 64 counters",
        ),
        judgement(
            "counter",
            "counter",
            Guarantee::ExactlyOnce,
            "no counter-example: every final value lies between acknowledged and acknowledged + unknown",
        ),
        judgement(
            "conservation",
            "orders",
            Guarantee::Atomicity,
            "no counter-example in 3,204 snapshots of the stock on 2 nodes",
        ),
        on(
            "primary",
            judgement(
                "session",
                "counter",
                Guarantee::ReadYourWrites,
                "no counter-example in 10,022 reads of own writes",
            ),
        ),
        stale_reads(),
        on(
            "primary",
            judgement(
                "session",
                "counter",
                Guarantee::MonotonicReads,
                "no counter-example in 10,022 pairs of reads",
            ),
        ),
        judgement(
            "convergence",
            "orders",
            Guarantee::Convergence,
            "all 3 tables equal on 2 nodes at 0/8A1F2C0",
        ),
        unclaimed(
            Verdict::Unknown,
            judgement(
                "long-fork",
                "counter",
                Guarantee::SnapshotOrder,
                "too few snapshots to compare: 7 pairs, 100 wanted",
            ),
        ),
    ];
    judgements[0].counts = [
        ("acknowledged and present", 24_410),
        ("acknowledged and absent", 0),
        ("unknown and present", 3),
        ("unknown and absent", 5),
    ]
    .map(|(name, value)| Count { name: name.to_owned(), value })
    .into();
    Report {
        endpoints: Vec::new(),
        events: Vec::new(),
        format: 1,
        verdict: Verdict::Pass,
        exit_code: 0,
        cut: None,
        run: run("on", "crash(primary)@8s,restart(replica-1)@16s"),
        nodes: vec![node("primary", "primary", "on"), node("replica-1", "replica", "on")],
        claims: claims(),
        judgements,
        thresholds: vec![
            Threshold {
                text: "lag.p99<500ms".to_owned(),
                measured: Some("312 ms".to_owned()),
                verdict: Verdict::Pass,
                reason: "visibility on replica-1, 8,204 increments".to_owned(),
            },
            Threshold {
                text: "recovery.max<5s".to_owned(),
                measured: Some("1.21 s".to_owned()),
                verdict: Verdict::Pass,
                reason: "crash primary at 8.00 s".to_owned(),
            },
        ],
        figures: figures::with_crash(),
        transactions: BTreeMap::new(),
        not_checked: vec![
            "What a power failure loses: a killed process keeps the operating system's page cache."
                .to_owned(),
            "Network partitions: every node spoke over the loopback interface.".to_owned(),
        ],
    }
}

/// The same, but three acknowledged orders are gone: invalid.
pub(crate) fn lost_commits() -> Report {
    let mut report = valid();
    report.verdict = Verdict::Fail;
    report.exit_code = 1;
    report.judgements[0] = Judgement {
        verdict: Verdict::Fail,
        summary: "3 of 24,410 acknowledged orders are absent at the end".to_owned(),
        violations: 3,
        findings: vec![
            Finding {
                message: "order 24117 was acknowledged at 7.98 s, 20 ms before crash primary, and is absent on primary and replica-1"
                    .to_owned(),
                events: vec![event("orders", 48_231), event("orders", 48_240), event("nemesis", 0)],
            },
            Finding {
                message: "orders 24119 to 24120 were acknowledged at 7.99 s and are absent on primary and replica-1".to_owned(),
                events: vec![event("orders", 48_244), event("orders", 48_249)],
            },
        ],
        ..report.judgements[0].clone()
    };
    report.judgements[0].counts[0].value = 24_407;
    report.judgements[0].counts[1].value = 3;
    report.thresholds[0].verdict = Verdict::Fail;
    report.thresholds[0].measured = Some("5.41 s".to_owned());
    report
}

/// A run that was killed in mid-air, on a machine that was too slow for it.
pub(crate) fn cut() -> Report {
    let mut report = valid();
    let cut = "replab was killed: the history ends at 11.42 s without a trailer";
    report.verdict = Verdict::Unknown;
    report.exit_code = 3;
    report.cut = Some(cut.to_owned());
    for judgement in
        report.judgements.iter_mut().filter(|judgement| judgement.claimed && judgement.node.is_none())
    {
        judgement.verdict = Verdict::Unknown;
        judgement.summary = "there are no final reads".to_owned();
        judgement.counts.clear();
        judgement.findings = vec![Finding { message: cut.to_owned(), events: Vec::new() }];
    }
    report.thresholds[0].verdict = Verdict::Unknown;
    report.thresholds[0].reason = "the lab was the bottleneck: timers fired up to 412 ms late".to_owned();
    report.figures.lab.taints = vec![
        "timers fired up to 412 ms late (limit 50 ms)".to_owned(),
        "the lab used 1.94 of 2 cores (limit 90 %)".to_owned(),
    ];
    figures::cut_at(&mut report.figures, 11_420);
    report.figures.recoveries.truncate(1);
    report.figures.recoveries[0].answered = None;
    report.figures.recoveries[0].first_success = None;
    report.figures.recoveries[0].unavailable = None;
    report
}

/// `synchronous_commit = off`: commits are lost, and nobody claimed that they would not be.
pub(crate) fn sync_off() -> Report {
    let mut report = lost_commits();
    report.verdict = Verdict::Pass;
    report.exit_code = 0;
    report.run = run("off", "crash(primary)@8s,restart(replica-1)@16s");
    report.nodes = vec![node("primary", "primary", "off"), node("replica-1", "replica", "off")];
    report.claims.everywhere.remove(&Guarantee::Durability);
    for judgement in &mut report.judgements {
        judgement.claimed &= judgement.guarantee != Guarantee::Durability;
    }
    report.thresholds.clear();
    report
}

/// Strings that try to leave their place: markup, quotes, terminal escapes, Markdown, XML's forbidden characters.
pub(crate) fn hostile() -> Report {
    const EVIL: &str =
        "</script><script>document.title='owned'</script>\" onload='x' \u{1b}[31m|`\u{0}]]>&\n# owned";
    let mut report = lost_commits();
    report.cut = Some(EVIL.to_owned());
    report.run.id = EVIL.to_owned();
    report.run.plan = EVIL.to_owned();
    report.run.reproduce = EVIL.to_owned();
    report.run.faults = EVIL.to_owned();
    report.run.machine = vec![EVIL.to_owned()];
    report.judgements[0].summary = EVIL.to_owned();
    report.judgements[0].workload = EVIL.to_owned();
    report.judgements[0].findings[0].message = EVIL.to_owned();
    report.judgements[0].findings[0].events[0].workload = EVIL.to_owned();
    report.judgements[0].counts[0].name = EVIL.to_owned();
    report.thresholds[0].text = EVIL.to_owned();
    report.thresholds[0].reason = EVIL.to_owned();
    report.thresholds[0].measured = Some(EVIL.to_owned());
    report.figures.recoveries[0].action = EVIL.to_owned();
    report.figures.recoveries[0].detail = EVIL.to_owned();
    report.figures.lag[0].node = NodeName::new(EVIL);
    report.figures.operations[0].operation = EVIL.to_owned();
    report.figures.errors[0].example = EVIL.to_owned();
    report.figures.errors[0].sqlstate = Some(EVIL.to_owned());
    report.figures.lab.taints = vec![EVIL.to_owned()];
    report.nodes[0].settings[0].value = EVIL.to_owned();
    report.nodes[0].version = EVIL.to_owned();
    report.not_checked.push(EVIL.to_owned());
    report
}

/// All of them, by name.
pub(crate) fn all() -> [(&'static str, Report); 5] {
    [
        ("valid", valid()),
        ("lost_commits", lost_commits()),
        ("cut", cut()),
        ("sync_off", sync_off()),
        ("hostile", hostile()),
    ]
}
