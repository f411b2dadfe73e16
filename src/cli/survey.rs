//! A cluster of AWS's before a run: looked at, counted, and whether it may be broken.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::args::RunArgs;
use super::console::Console;
use super::{Exit, Failure, failures, plan};
use crate::config::{AuroraPlan, Loaded, Overrides, Plan, TopologyKind, WorkloadPlan};
use crate::fault::format_duration;
use crate::history::Nanos;
use crate::run::{self, Leave};
use crate::topology::TopologyError;
use crate::topology::aurora::{self, Patience, Problem, Survey, rehearse};

/// What was found, and the plan for it.
pub(super) struct Surveyed {
    pub(super) plan: Plan,
    pub(super) survey: Survey,
}

/// Looks at the cluster of the plan, and makes the plan again for as many readers as it has; `None` for other kinds.
pub(super) async fn survey(
    args: &RunArgs,
    loaded: &Loaded,
    console: &Console,
) -> Result<Option<Surveyed>, Failure> {
    let plan = &loaded.plan;
    let Some(wanted) = &plan.topology.aurora else { return Ok(None) };
    let found = aurora::survey(&wanted.access).await.map_err(failures::topology)?;
    found.check(wanted.access.consistency).map_err(Failure::from)?;
    let readers = found.readers().len();
    if plan.topology.replicas != readers && loaded.is_set("topology.replicas") {
        let (cluster, wanted) = (found.cluster.clone(), plan.topology.replicas);
        let problem = Problem::OtherReaders { cluster, found: readers, wanted };
        return Err(problem.into());
    }
    let seed = i64::try_from(plan.load.seed).ok();
    let flags = Overrides { replicas: i64::try_from(readers).ok(), seed, ..args.overrides() };
    let plan = plan::settings(&flags, &args.place)?.plan;
    for line in lines(&found) {
        console.note(&line);
    }
    Ok(Some(Surveyed { plan, survey: found }))
}

/// Whether the cluster may be broken as planned: it says so, or the user does, and nobody does it by mistake. Answers what
/// allows it.
pub(super) fn consent(args: &RunArgs, surveyed: &Surveyed) -> Result<Leave, Failure> {
    let Surveyed { plan, survey } = surveyed;
    if plan.faults.is_empty() {
        return Ok(Leave::Standing);
    }
    let cluster = &args.settings.cluster;
    let leave = match survey.check_faults(false) {
        Ok(()) => Leave::Standing,
        Err(_) if cluster.allows_faults() => Leave::Flag,
        Err(problem) => return Err(problem.into()),
    };
    if cluster.says_yes() {
        return Ok(leave);
    }
    let what = format!("{} in the cluster {} of {}", plan.faults, survey.cluster, survey.region);
    let refuse = |why: &str| {
        Failure::new(Exit::Usage, anyhow::anyhow!("{why}: {what}"))
            .help("--yes lets it happen; --dry-run shows every call that would be made")
    };
    if !io::stdin().is_terminal() {
        return Err(refuse("nothing is rebooted or failed over unasked"));
    }
    let mut stderr = io::stderr().lock();
    drop(write!(stderr, "{what}: go on? [y/N] ").and_then(|()| stderr.flush()));
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(leave),
        _ => Err(refuse("left alone")),
    }
}

/// What there is, a line each.
fn lines(survey: &Survey) -> Vec<String> {
    let Survey { cluster, region, engine, version, .. } = survey;
    let mut lines = vec![format!("{cluster} in {region}: {engine} {version}")];
    lines.extend(survey.named().into_iter().map(|(node, member)| {
        let of = [member.class.as_deref(), member.zone.as_deref()];
        let of: String = of.into_iter().flatten().map(|what| format!(", {what}")).collect();
        format!("  {node}: {}{of}, promotion tier {}", member.instance, member.tier)
    }));
    match &survey.custom_endpoints {
        None => lines.push("  custom endpoints: this API does not tell".to_owned()),
        Some(endpoints) => lines.extend(
            endpoints
                .iter()
                .map(|endpoint| format!("  custom endpoint {} ({}), not used", endpoint.name, endpoint.kind)),
        ),
    }
    if let Some(status) = &survey.write_forwarding {
        lines.push(format!("  local write forwarding: {status}"));
    }
    lines
}

/// Every call of AWS's that a run would make, and what it would ask of the servers and do to them, in their order.
pub(super) fn rehearsal(surveyed: &Surveyed, wanted: &AuroraPlan) -> Vec<String> {
    const LOOK: &str = "rds:DescribeDBClusters and rds:DescribeDBInstances";
    const MARK: &str = "on the writer: INSERT INTO replab_mark";
    const SHOWN: &str = "on each reader: SELECT count(*) FROM replab_mark …, until it shows that row";
    let Surveyed { plan, survey } = surveyed;
    let cluster = &survey.cluster;
    let mut lines = vec![
        format!(
            "rds:DescribeDBClusters DBClusterIdentifier={cluster}, as just now, and again when the run begins"
        ),
        format!("rds:DescribeDBInstances Filters=db-cluster-id:{cluster}, the same"),
        format!("rds:DescribeDBClusterEndpoints DBClusterIdentifier={cluster}, the same"),
    ];
    if survey.tags.is_empty() {
        lines.push(format!("rds:ListTagsForResource ResourceName={}, the same", survey.arn));
    }
    lines
        .extend(wanted.access.auth.call().map(|call| format!("{call}, to log in as {}", wanted.access.user)));
    for (node, member) in survey.named() {
        let (host, port) = member.address.clone().unwrap_or_default();
        lines.push(format!(
            "connect to {} at {host}:{port} as {node}: what it is, its settings with SHOW, and what it refuses",
            member.instance
        ));
    }
    lines.push(
        "on the writer: CREATE SCHEMA replab_…; the tables of the workloads in it, and replab_mark"
            .to_owned(),
    );
    lines.extend([MARK.to_owned(), SHOWN.to_owned()]);
    let workloads: Vec<&str> = plan.workloads.iter().map(|workload| workload.name()).collect();
    let workloads = workloads.join(" and ");
    lines.push(format!(
        "the statements of {workloads}, in that schema, for {} s",
        plan.load.duration.as_secs_f64()
    ));
    if let Some(mode) = wanted.access.consistency {
        let mode =
            format!("apg_write_forward.consistency_mode = {mode}, default_transaction_read_only = off");
        lines.push(format!("in each of their sessions: {mode}"));
    }
    if survey.reader_endpoint.is_some() && plan.workloads.iter().any(|one| *one != WorkloadPlan::LongFork) {
        lines.push(
            "as many reads as on each node through the reader endpoint, over a new connection each second, each with SELECT \
             pg_is_in_recovery(), pg_catalog.aurora_db_instance_identifier()"
                .to_owned(),
        );
    }
    let interval = Nanos::from(run::sampling_interval(plan.load.duration));
    lines.push(format!(
        "on the writer, once in {} at most: SELECT … FROM pg_catalog.aurora_replica_status()",
        format_duration(interval)
    ));
    lines.push(
        "a new connection through the cluster's and the reader endpoint, five times a second at most"
            .to_owned(),
    );
    for stage in plan.faults.stages(&plan.topology.nodes()) {
        let step = stage.step;
        if let Some(call) = rehearse(survey, step.action, stage.node) {
            let calls = Patience::default().calls;
            let again = match aurora::is_call(step.action) {
                true => format!(", and again where nothing comes of it, {calls} times in all at most"),
                false => String::new(),
            };
            lines.push(format!("{step}: {call}{again}"));
        }
        lines.push(match step.action.lasts() {
            Nanos(0) => format!("{step}: {LOOK}, and new connections to the servers, until it is done"),
            length => format!(
                "{step}: nothing more; the last reads wait until its {} are over",
                format_duration(length)
            ),
        });
    }
    lines.push(format!("{LOOK}, and a new connection to each server, until all are there"));
    lines.push(
        "on the writer: how many of the run's sessions pg_stat_activity shows at work, until none is"
            .to_owned(),
    );
    lines.push(format!("{MARK}; the last reads of {workloads}; INSERT INTO replab_mark"));
    lines.push(format!("{SHOWN}; then the same reads"));
    lines.push("rds:DescribeEvents of the cluster and of each instance".to_owned());
    if wanted.keep == crate::config::Switch::Off {
        lines.push("on the writer: DROP SCHEMA IF EXISTS replab_… CASCADE".to_owned());
    }
    lines
}

/// What is for `replab run` only.
pub(super) fn refuse(plan: &Plan, command: &str) -> Result<(), Failure> {
    if plan.topology.kind != TopologyKind::Aurora {
        return Ok(());
    }
    let error = anyhow::anyhow!("{command} does not run on a cluster of AWS's; replab run does");
    Err(Failure::new(Exit::Usage, error)
        .help("--writer URL --reader URL takes the same servers by their addresses"))
}

/// An error before anything was begun.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        failures::topology(TopologyError::Aurora(Box::new(problem)))
    }
}
