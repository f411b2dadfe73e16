//! Tells every server how far all of them are: what `aurora_replica_status()` answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::control::Control;
use super::cpu::Ticks;
use super::events::stamp;
use super::lag::Positions;
use crate::history::{Clock, Nanos, NodeName};
use crate::lsn::Lsn;
use crate::pg::{Deadlines, Session};
use crate::topology::Role;

/// The file beside the data of every server.
const FILE: &str = "replab_aurora.json";

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Who does not answer within this time is not waited for.
const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_millis(500), statement: Duration::from_millis(500) };

/// What a server says of itself: the end of its log, what it has received, and what it shows; its transactions, and whose
/// numbers they have.
const POSITION: &str = "SELECT \
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END, \
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() END, \
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle' \
        AND pid <> pg_backend_pid()), \
    pg_snapshot_xmax(pg_current_snapshot())::text::int8 >> 32";

/// What the writer says of its readers: by name the microseconds of their replay, and their oldest transaction.
const READERS: &str = "SELECT application_name, (extract(epoch FROM replay_lag) * 1000000)::int8, backend_xmin \
    FROM pg_stat_replication";

/// Looks at the servers, and remembers what it needs for the next time.
struct Sampler {
    control: Arc<Control>,
    clock: Clock,
    sessions: BTreeMap<NodeName, Session>,
    positions: Positions,
    /// Of a reader, when it had received how much.
    received: BTreeMap<NodeName, (Nanos, Lsn)>,
    /// The last word of each server; of one that does not answer it grows old.
    rows: BTreeMap<NodeName, Value>,
    ticks: Option<Ticks>,
    number: u64,
}

/// A server's own word.
struct Position {
    lsn: Lsn,
    received: Option<Lsn>,
    active: i64,
    epoch: i64,
}

/// The writer's word on a reader.
#[derive(Clone, Copy, Default)]
struct Seen {
    replay_usec: Option<i64>,
    xmin: Option<i64>,
}

/// Looks again and again.
pub(super) async fn sample(control: Arc<Control>) {
    let mut sampler = Sampler::new(control);
    loop {
        if let Err(error) = sampler.tell().await {
            sampler.control.say(format!("the servers are not told how they are: {error:#}"));
        }
        sleep(LOOK).await;
    }
}

/// Looks once, so that every server knows something.
pub(super) async fn tell(control: &Arc<Control>) -> anyhow::Result<()> {
    Sampler::new(Arc::clone(control)).tell().await
}

impl Sampler {
    fn new(control: Arc<Control>) -> Sampler {
        Sampler {
            control,
            clock: Clock::start(),
            sessions: BTreeMap::new(),
            positions: Positions::default(),
            received: BTreeMap::new(),
            rows: BTreeMap::new(),
            ticks: None,
            number: 0,
        }
    }

    async fn tell(&mut self) -> anyhow::Result<()> {
        let endpoints = self.control.cluster.read().await.direct_endpoints();
        let Some(writer) = endpoints.iter().find(|endpoint| endpoint.role == Role::Primary) else {
            return Ok(());
        };
        let writer = writer.node;
        self.sessions.retain(|node, session| {
            !session.is_closed() && endpoints.iter().any(|endpoint| endpoint.node == *node)
        });
        let missing = endpoints.iter().filter(|endpoint| !self.sessions.contains_key(&endpoint.node));
        let made = missing.map(async |endpoint| {
            let session = Session::connect(&endpoint.conninfo, "replab status", DEADLINES).await;
            session.ok().map(|session| (endpoint.node, session))
        });
        let made: Vec<_> = join_all(made).await;
        self.sessions.extend(made.into_iter().flatten());

        // The writer first: a reader that has what it had then is not behind.
        let (at, seen) = match self.sessions.get(&writer) {
            Some(session) => (position(session).await, readers(session).await.unwrap_or_default()),
            None => (None, BTreeMap::new()),
        };
        let now = self.clock.now();
        if let Some(at) = &at {
            self.positions.add(now, at.lsn);
        }
        let others = self.sessions.iter().filter(|(node, _)| **node != writer);
        let others = others.map(async |(node, session)| (*node, position(session).await));
        let others: Vec<(NodeName, Option<Position>)> = join_all(others).await;
        self.number += 1;
        let cpu = self.cpu();
        let members = self.control.fleet().members.clone();
        self.rows.retain(|node, _| members.iter().any(|member| member.node == *node));
        for (node, at) in others.into_iter().chain([(writer, at)]) {
            let (Some(at), Some(member)) = (at, members.iter().find(|member| member.node == node)) else {
                continue;
            };
            let seen = seen.get(node.as_str()).copied().unwrap_or_default();
            let mut row = if node == writer {
                self.writer(&at)
            } else {
                self.reader(node, now, &at, seen, &member.session)
            };
            row["node"] = json!(node);
            row["server_id"] = json!(member.name);
            row["durable_lsn"] = json!(at.lsn.bytes());
            row["active_txns"] = json!(at.active);
            row["last_update_timestamp"] = json!(stamp(Utc::now()));
            row["cpu"] = json!(cpu);
            self.rows.insert(node, row);
        }
        self.write(&members.iter().map(|member| (member.node.to_string(), member.name.as_str())).collect())
            .await
    }

    fn writer(&self, at: &Position) -> Value {
        json!({
            "session_id": "MASTER_SESSION_ID",
            "log_stream_speed_in_kib_per_second": 0.0,
            "log_buffer_sequence_number": self.number,
            "oldest_read_view_lsn": at.lsn.bytes(),
        })
    }

    fn reader(&mut self, node: NodeName, now: Nanos, at: &Position, seen: Seen, session: &str) -> Value {
        let behind = self.positions.behind(at.lsn).as_millis_f64();
        let lag = if behind > 0.0 { behind } else { seen.replay_usec.unwrap_or(0) as f64 / 1_000.0 };
        let received = at.received.unwrap_or(at.lsn);
        let before = self.received.insert(node, (now, received));
        let speed = before.map_or(0.0, |(then, earlier)| {
            let seconds = now.since(then).as_secs_f64();
            let bytes = received.bytes().saturating_sub(earlier.bytes());
            if seconds > 0.0 { bytes as f64 / 1_024.0 / seconds } else { 0.0 }
        });
        json!({
            "session_id": session,
            "highest_lsn_rcvd": received.bytes(),
            "current_read_lsn": at.lsn.bytes(),
            "cur_replay_latency_in_usec": (lag * 1_000.0).round() as i64,
            "feedback_xmin": seen.xmin,
            "feedback_epoch": seen.xmin.map(|_| at.epoch),
            "replica_lag_in_msec": lag,
            "log_stream_speed_in_kib_per_second": speed,
            "log_buffer_sequence_number": self.number,
            "oldest_read_view_lsn": at.lsn.bytes(),
        })
    }

    /// Of all servers together: they share the machine.
    fn cpu(&mut self) -> Option<f64> {
        let now = Ticks::now()?;
        let busy = self.ticks.and_then(|earlier| now.busy_since(earlier));
        self.ticks = Some(now);
        Some(busy.unwrap_or(0.0))
    }

    async fn write(&self, instances: &BTreeMap<String, &str>) -> anyhow::Result<()> {
        let rows: Vec<&Value> = self.rows.values().collect();
        let text = json!({ "instances": instances, "rows": rows }).to_string();
        let cluster = self.control.cluster.read().await;
        for endpoint in cluster.direct_endpoints() {
            cluster.put(endpoint.node, FILE, text.as_bytes())?;
        }
        Ok(())
    }
}

async fn position(session: &Session) -> Option<Position> {
    let mut row = session.simple_query_rows(POSITION).await.ok()?.pop()?.into_iter();
    let lsn = |text: Option<String>| text.and_then(|text| Lsn::parse_optional(&text).ok()).flatten();
    let (at, received) = (lsn(row.next()?), lsn(row.next()?));
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
    Some(Position { lsn: at?, received, active: number(row.next()?), epoch: number(row.next()?) })
}

async fn readers(session: &Session) -> Option<BTreeMap<String, Seen>> {
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let rows = session.simple_query_rows(READERS).await.ok()?;
    let seen = rows.into_iter().filter_map(|row| {
        let mut row = row.into_iter();
        let (name, replay_usec, xmin) = (row.next()??, number(row.next()?), number(row.next()?));
        Some((name, Seen { replay_usec, xmin }))
    });
    Some(seen.collect())
}
