//! How long writes were away: the report's figure, from acknowledged commits alone, beside that of a prober that knows
//! nothing of replab's clients.

use std::process::{Child, Stdio};
use std::time::Duration;

use replab::pg::{Conninfo, Deadlines, Session};
use replab::topology::local::{Cluster, StateDir};

use tokio::time::Instant;

use crate::lab::{Lab, waiting};
use crate::support::until;

/// The prober looks this often, so it sees no more finely.
const EVERY: Duration = Duration::from_millis(5);
const IMPATIENT: Deadlines =
    Deadlines { connect: Duration::from_millis(500), statement: Duration::from_secs(10) };
/// What two observers of one machine, each with its own turn of the processor, may differ by; or a quarter of the outage,
/// which a machine that has other work makes longer for both.
const TOLERANCE: Duration = Duration::from_millis(300);

/// The nodes of the run's cluster, once its tables are there.
async fn conninfos(lab: &Lab, run: &mut Child) -> Vec<Conninfo> {
    let mut found = Vec::new();
    until("the run has made its tables", async || {
        assert!(run.try_wait().unwrap().is_none(), "the run has ended");
        let dir = StateDir::open(Some(lab.state_dir())).unwrap();
        let Ok(cluster) = dir.find(None).and_then(|state| Cluster::attach(&dir, state)) else { return false };
        found = cluster.endpoints().into_iter().map(|endpoint| endpoint.conninfo).collect();
        let Ok(session) = Session::connect(&found[0], "prober", IMPATIENT).await else { return false };
        session.batch("SELECT FROM user_counter").await.is_ok()
    })
    .await;
    found
}

/// The longest time between two commits that were acknowledged to a client which goes from node to node until one takes
/// its write.
async fn probe(nodes: &[Conninfo], run: &mut Child) -> Duration {
    let (mut at, mut session, mut last, mut longest) = (0, None::<Session>, None::<Instant>, Duration::ZERO);
    while run.try_wait().unwrap().is_none() {
        let written = match &session {
            Some(session) => session.batch("INSERT INTO prober VALUES (1)").await.is_ok(),
            None => {
                session = Session::connect(&nodes[at], "prober", IMPATIENT).await.ok();
                match &session {
                    Some(session) => session.batch("CREATE TABLE IF NOT EXISTS prober (n int)").await.is_ok(),
                    None => false,
                }
            }
        };
        if written {
            let now = Instant::now();
            longest = longest.max(last.map_or(Duration::ZERO, |last| now - last));
            last = Some(now);
        } else {
            session = None;
            at = (at + 1) % nodes.len();
        }
        tokio::time::sleep(EVERY).await;
    }
    longest
}

/// What the report says of the first `action`, and what the prober saw.
fn away(faults: &str, action: &str) -> Option<(Duration, Duration)> {
    let lab = Lab::real()?;
    let mut command =
        lab.replab(&["run", "counter", "--replicas", "2", "--duration", "6s", "--fault", faults, "-q"]);
    let mut run = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let seen = waiting(async {
        let nodes = conninfos(&lab, &mut run).await;
        probe(&nodes, &mut run).await
    });
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let report = lab.results();
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    let fault = recoveries.iter().find(|recovery| recovery["action"] == action).unwrap();
    assert_eq!(fault["unavailable_is_bound"], false, "{fault}");
    let said = Duration::from_nanos(fault["unavailable"].as_u64().unwrap());
    lab.assert_nothing_left();
    Some((said, seen))
}

#[track_caller]
fn agree(found: Option<(Duration, Duration)>, at_least: Duration) {
    let Some((said, seen)) = found else { return };
    println!("the report says {said:?}, the prober saw {seen:?}");
    assert!(said >= at_least && seen >= at_least, "{said:?} {seen:?}");
    assert!(said.abs_diff(seen) <= TOLERANCE.max(said.min(seen) / 4), "{said:?} {seen:?}");
}

#[test]
fn a_failover_takes_as_long_as_anybody_sees() {
    agree(away("kill(writer)@2s,promote(best)@3500ms", "kill"), Duration::from_secs(1));
}

#[test]
fn a_restart_takes_as_long_as_anybody_sees() {
    agree(away("stop(primary,immediate)@2s,start(primary)@3500ms", "stop immediate"), Duration::from_secs(1));
}
