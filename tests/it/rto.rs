//! How long writes were away: the report's figure, from acknowledged commits alone, beside that of a prober that knows
//! nothing of replab's clients.

use std::process::{Child, Stdio};
use std::time::Duration;

use replab::history::{CounterOp, NodeName, Outcome, file};
use replab::pg::{Conninfo, Deadlines, Session};
use replab::topology::local::{Cluster, StateDir};

use tokio::time::Instant;

use crate::lab::{Lab, waiting};
use crate::support::until;

/// The prober looks this often, so it sees no more finely.
const EVERY: Duration = Duration::from_millis(5);
const IMPATIENT: Deadlines =
    Deadlines { connect: Duration::from_millis(500), statement: Duration::from_secs(10) };

/// What somebody who went on asking knows of the longest time without a commit.
#[derive(Clone, Copy, Debug, Default)]
struct Outage {
    /// From when the one node first refused it to when the other last did.
    at_least: Duration,
    /// From when it last set out to commit in time, to the next commit that it was told of.
    at_most: Duration,
}

/// One attempt to write: where, when it began and ended, and whether it was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    node: NodeName,
    start: Duration,
    end: Duration,
    ok: bool,
}

impl Outage {
    /// Around the longest time between two commits in a row; `attempts` are sorted by their end.
    fn among(attempts: &[Attempt]) -> Outage {
        let commits: Vec<&Attempt> = attempts.iter().filter(|one| one.ok).collect();
        let pairs = commits.windows(2);
        let [last, first] = pairs.max_by_key(|pair| pair[1].end - pair[0].end).expect("two commits") else {
            unreachable!()
        };
        // Who had begun before is told when its own session dies, and who waited for long was told nothing.
        let within = |one: &&Attempt| one.start > last.end && one.end <= first.end;
        let is_told = |one: &&Attempt| !one.ok && one.end - one.start < IMPATIENT.connect;
        let refused = || attempts.iter().filter(within).filter(is_told);
        let from =
            refused().filter(|one| one.node == last.node).map(|one| one.end).min().unwrap_or(first.end);
        let to =
            refused().filter(|one| one.node == first.node).map(|one| one.start).max().unwrap_or(last.end);
        Outage { at_least: to.saturating_sub(from), at_most: first.end - last.start }
    }
}

/// The nodes of the run's cluster, once its tables are there.
async fn nodes(lab: &Lab, run: &mut Child) -> Vec<(NodeName, Conninfo)> {
    let mut found = Vec::new();
    until("the run has made its tables", async || {
        assert!(run.try_wait().unwrap().is_none(), "the run has ended");
        let dir = StateDir::open(Some(lab.state_dir())).unwrap();
        let Ok(cluster) = dir.find(None).and_then(|state| Cluster::attach(&dir, state)) else { return false };
        found = cluster.endpoints().into_iter().map(|endpoint| (endpoint.node, endpoint.conninfo)).collect();
        let Ok(session) = Session::connect(&found[0].1, "prober", IMPATIENT).await else { return false };
        session.batch("SELECT FROM user_counter").await.is_ok()
    })
    .await;
    found
}

/// What a client sees that goes from node to node until one takes its write.
async fn probe(nodes: &[(NodeName, Conninfo)], run: &mut Child) -> Outage {
    let (mut at, mut session, mut attempts) = (0, None::<Session>, Vec::new());
    let began = Instant::now();
    while run.try_wait().unwrap().is_none() {
        let start = began.elapsed();
        let ok = match &session {
            Some(session) => session.batch("INSERT INTO prober VALUES (1)").await.is_ok(),
            None => {
                session = Session::connect(&nodes[at].1, "prober", IMPATIENT).await.ok();
                match &session {
                    Some(session) => session.batch("CREATE TABLE IF NOT EXISTS prober (n int)").await.is_ok(),
                    None => false,
                }
            }
        };
        attempts.push(Attempt { node: nodes[at].0, start, end: began.elapsed(), ok });
        if !ok {
            session = None;
            at = (at + 1) % nodes.len();
        }
        tokio::time::sleep(EVERY).await;
    }
    Outage::among(&attempts)
}

/// The same of the run's own clients together, by the history that the report was made of.
fn recorded(lab: &Lab) -> Outage {
    let stored = file::read::<CounterOp>(&lab.latest("history/counter.jsonl.zst")).unwrap();
    let writes = stored.history.calls().filter(|call| matches!(call.op, CounterOp::Increment { .. }));
    let mut attempts: Vec<Attempt> = writes
        .map(|call| Attempt {
            node: call.node,
            start: call.start.into(),
            end: call.end.into(),
            ok: matches!(call.outcome, Outcome::Ok { .. }),
        })
        .collect();
    attempts.sort_by_key(|one| one.end);
    Outage::among(&attempts)
}

/// What the report says, what its clients and the prober know, and the time from the fault to its cure.
#[derive(Debug)]
struct Agreed {
    said: Duration,
    recorded: Outage,
    seen: Outage,
    down: Duration,
}

/// Runs with `faults`, whose second ends the outage that the first begins, and holds what the report says of it against
/// what the prober saw.
fn both_agree(faults: &str) -> Option<Agreed> {
    let lab = Lab::real()?;
    let mut command =
        lab.replab(&["run", "counter", "--replicas", "2", "--duration", "6s", "--fault", faults, "-q"]);
    let mut run = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let seen = waiting(async {
        let nodes = nodes(&lab, &mut run).await;
        probe(&nodes, &mut run).await
    });
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let report = lab.results();
    let [fault, cure, ..] = &report["figures"]["recoveries"].as_array().unwrap()[..] else {
        panic!("{report}")
    };
    let time = |value: &serde_json::Value| Duration::from_nanos(value.as_u64().unwrap());
    assert_eq!(fault["unavailable_is_bound"], false, "{fault}");
    let (said, resolution) = (time(&fault["unavailable"]), time(&fault["resolution"]));
    let recorded = recorded(&lab);
    println!(
        "the report says {said:?}, seen to within {resolution:?}; its clients {recorded:?}, the prober {seen:?}"
    );
    // The report's figure is that of its clients, and nothing that the prober knows speaks against them.
    assert!(said >= recorded.at_least && said <= recorded.at_most, "{said:?} {recorded:?}");
    assert!(resolution < said, "{resolution:?} of {said:?}");
    assert!(recorded.at_least <= seen.at_most && seen.at_least <= recorded.at_most, "{recorded:?} {seen:?}");
    lab.assert_nothing_left();
    Some(Agreed { said, recorded, seen, down: time(&cure["invoked"]) - time(&fault["applied"]) })
}

impl Agreed {
    /// The outage lasted until its cure at the least, and both went on asking meanwhile: else they would agree on anything.
    #[track_caller]
    fn was_refused_until_cured(&self) {
        assert!(self.said >= self.down && self.seen.at_most >= self.down, "{self:?}");
        assert!([self.recorded, self.seen].iter().all(|of| of.at_least > self.down / 2), "{self:?}");
    }
}

#[test]
fn a_failover_takes_as_long_as_anybody_sees() {
    let Some(agreed) = both_agree("kill(writer)@2s,promote(best)@3500ms") else { return };
    agreed.was_refused_until_cured();
}

#[test]
fn a_restart_takes_as_long_as_anybody_sees() {
    let Some(agreed) = both_agree("stop(primary,immediate)@2s,start(primary)@3500ms") else { return };
    agreed.was_refused_until_cured();
}

#[test]
fn who_hangs_on_a_paused_primary_is_not_served_meanwhile() {
    let Some(Agreed { said, down, .. }) = both_agree("pause(primary)@2s,resume(primary)@3500ms") else {
        return;
    };
    // The last acknowledgement may be read after the pause, and the first comes as soon as it is over.
    assert!(said > down / 2, "{said:?}, {down:?} apart");
}
