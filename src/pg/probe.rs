//! What the lab asks a server about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use tokio_postgres::Row;
use tokio_postgres::Statement;

use super::{PgError, Session};
use crate::history::{Clock, LagSample, LinkState, Nanos, NodeName};
use crate::lsn::Lsn;

/// `SHOW` of several settings; those that this server does not know are absent.
pub async fn settings(session: &Session, names: &[&str]) -> Result<BTreeMap<String, String>, PgError> {
    let sql = "SELECT name, current_setting(name, true) FROM unnest($1::text[]) AS name";
    let statement = session.prepare(sql).await?;
    let names: Vec<&str> = names.to_vec();
    let mut settings = BTreeMap::new();
    for row in session.query(&statement, &[&names]).await? {
        if let Some(value) = get::<Option<String>>(&row, 1)? {
            settings.insert(get(&row, 0)?, value);
        }
    }
    Ok(settings)
}

/// `server_version_num`: 150018 is 15.18.
pub async fn server_version_num(session: &Session) -> Result<u32, PgError> {
    let text = scalar(session, "SHOW server_version_num").await?.unwrap_or_default();
    text.parse().map_err(|_| PgError::Mismatch(format!("server_version_num is `{text}`")))
}

/// Whether the server replays a log (a replica, or one that has not finished its recovery).
pub async fn is_in_recovery(session: &Session) -> Result<bool, PgError> {
    Ok(scalar(session, "SELECT pg_is_in_recovery()").await?.as_deref() == Some("t"))
}

/// When the server started, as text that is the same for the same start.
pub async fn postmaster_start(session: &Session) -> Result<String, PgError> {
    let sql = "SELECT extract(epoch FROM pg_postmaster_start_time())";
    scalar(session, sql)
        .await?
        .ok_or_else(|| PgError::Mismatch("the server does not say when it started".to_owned()))
}

/// `system_identifier` of the control file, which all nodes of a cluster share; `None` where it may not be asked for.
pub async fn system_identifier(session: &Session) -> Result<Option<String>, PgError> {
    match scalar(session, "SELECT system_identifier FROM pg_control_system()").await {
        Err(PgError::Sql { .. }) => Ok(None),
        asked => asked,
    }
}

/// How far a replica is, by its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standby {
    /// What it says of its connection to whom it receives from. Without the right to see that
    /// (`pg_read_all_stats`) a receiver that exists counts as [`LinkState::Catchup`].
    pub state: LinkState,
    /// `pg_last_wal_receive_lsn()`: received and on its disk.
    pub flushed: Option<Lsn>,
    /// `pg_last_wal_replay_lsn()`.
    pub replayed: Option<Lsn>,
}

/// Asks a replica how far it is.
pub async fn standby(session: &Session) -> Result<Standby, PgError> {
    let sql = "SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), \
               (SELECT coalesce(status, 'hidden') FROM pg_stat_wal_receiver)";
    let mut rows = session.simple_query_rows(sql).await?;
    let mut row = rows.pop().unwrap_or_default().into_iter();
    let mut next = || row.next().flatten();
    let (flushed, replayed) = (lsn(next())?, lsn(next())?);
    let state = match next().as_deref() {
        None => LinkState::Disconnected,
        Some("streaming") => LinkState::Streaming,
        Some(_) => LinkState::Catchup,
    };
    Ok(Standby { state, flushed, replayed })
}

/// The end of what is inserted into the log, as a replica reports it that has replayed it all.
///
/// `pg_current_wal_insert_lsn()` is where the next record will go: on an empty page behind the page's header, 24 or (on
/// the first page of a segment) 40 bytes after the end of the last record. Taken as it is, an idle replica would lag by
/// as much for ever, and who waits for it to replay that far would wait for ever.
const END_OF_LOG: &str = "(SELECT position - CASE \
     WHEN (position - '0/0') % pg_size_bytes(current_setting('wal_segment_size')) = 40 THEN 40 \
     WHEN (position - '0/0') % current_setting('wal_block_size')::int8 = 24 THEN 24 ELSE 0 END \
     FROM pg_current_wal_insert_lsn() AS position)";

/// The end of what is inserted into the log: a replica that has replayed it has replayed everything acknowledged before
/// the call. On a replica an error with code 55000.
pub async fn insert_lsn(session: &Session) -> Result<Option<Lsn>, PgError> {
    lsn(scalar(session, &format!("SELECT {END_OF_LOG}")).await?)
}

/// `pg_last_wal_replay_lsn()`; `None` on a server that never replayed.
pub async fn replay_lsn(session: &Session) -> Result<Option<Lsn>, PgError> {
    lsn(scalar(session, "SELECT pg_last_wal_replay_lsn()").await?)
}

/// `pg_last_wal_receive_lsn()`; `None` on a server that never received.
pub async fn receive_lsn(session: &Session) -> Result<Option<Lsn>, PgError> {
    lsn(scalar(session, "SELECT pg_last_wal_receive_lsn()").await?)
}

/// What the process that receives the log has written, which it may not have flushed yet; `None` where there is no such
/// process.
pub async fn written_lsn(session: &Session) -> Result<Option<Lsn>, PgError> {
    lsn(scalar(session, "SELECT written_lsn FROM pg_stat_wal_receiver").await?)
}

/// Commits a marker and waits until it is on disk; answers `pg_current_wal_flush_lsn()`, behind which lies everything
/// that was committed before, also what `synchronous_commit = off` had acknowledged early.
pub async fn flush_barrier(session: &Session) -> Result<Option<Lsn>, PgError> {
    session
        .batch("SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'replab', 'barrier')")
        .await?;
    lsn(scalar(session, "SELECT pg_current_wal_flush_lsn()").await?)
}

/// Commits a row after all that was committed before, and answers its number: a server without positions of its log shows
/// by it how far it is.
pub async fn add_mark(session: &Session) -> Result<i64, PgError> {
    session
        .batch(
            "SET synchronous_commit = on; \
             CREATE TABLE IF NOT EXISTS replab_mark (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
        )
        .await?;
    let number = scalar(session, "INSERT INTO replab_mark DEFAULT VALUES RETURNING number").await?;
    let number = number.ok_or_else(|| PgError::Mismatch("an insert answers no row".to_owned()))?;
    session.batch("RESET synchronous_commit").await?;
    self::number(&number)
}

/// Whether the row of that number is there; the table may not be there either.
pub async fn shows_mark(session: &Session, number: i64) -> Result<bool, PgError> {
    let sql = format!("SELECT count(*) FROM replab_mark WHERE number >= {number}");
    match scalar(session, &sql).await {
        // undefined_table
        Err(PgError::Sql { sqlstate, .. }) if sqlstate == "42P01" => Ok(false),
        count => Ok(count?.is_some_and(|count| count != "0")),
    }
}

/// How much of the log the node that calls itself `replica` has said it has flushed, to the server that it receives from;
/// `None` while it is not connected.
pub async fn flushed_by(session: &Session, replica: NodeName) -> Result<Option<Lsn>, PgError> {
    let sql = format!("SELECT max(flush_lsn) FROM pg_stat_replication WHERE application_name = '{replica}'");
    lsn(scalar(session, &sql).await?)
}

/// The process that receives the log on a replica; `None` while nothing streams.
pub async fn wal_receiver(session: &Session) -> Result<Option<i32>, PgError> {
    let pid = scalar(session, "SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'").await?;
    pid.map(|pid| number(&pid)).transpose()
}

/// The timeline that a replica receives; `None` while nothing streams.
pub async fn receives_timeline(session: &Session) -> Result<Option<u32>, PgError> {
    let sql = "SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming'";
    scalar(session, sql).await?.map(|timeline| number(&timeline)).transpose()
}

/// The timelines that the server has a part of in its log (manual, "System Administration Functions").
pub async fn held_timelines(session: &Session) -> Result<BTreeSet<u32>, PgError> {
    // The names of history files, and of parts that are not complete, are longer.
    let sql = "SELECT DISTINCT left(name, 8) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'";
    let mismatch = |name: &str| PgError::Mismatch(format!("a part of the log begins with `{name}`"));
    let names = session.simple_query_rows(sql).await?.into_iter().flatten().flatten();
    names.map(|name| u32::from_str_radix(&name, 16).map_err(|_| mismatch(&name))).collect()
}

/// The timeline that a primary writes, and where on the one before it began; `None` on a server that was never promoted.
///
/// The control file learns of a promotion only at the next checkpoint, the name of the segment that is written and the
/// timeline's history file know it at once (manual, "Timelines").
pub async fn timeline(session: &Session) -> Result<Option<(u32, Lsn)>, PgError> {
    let name = "SELECT left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)";
    let Some(name) = scalar(session, name).await?.filter(|name| name != "00000001") else { return Ok(None) };
    let mismatch = |text: &str| PgError::Mismatch(format!("a timeline's history is `{text}`"));
    let timeline = u32::from_str_radix(&name, 16).map_err(|_| mismatch(&name))?;
    let history = format!("SELECT pg_read_file('pg_wal/{name}.history')");
    let history = scalar(session, &history).await?.unwrap_or_default();
    // Lines are `parent, switch point, reason`; the youngest comes last.
    let last = history.lines().rfind(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let at = last.and_then(|line| line.split('\t').nth(1)).ok_or_else(|| mismatch(&history))?;
    Ok(lsn(Some(at.to_owned()))?.map(|at| (timeline, at)))
}

/// Ends the session of every client but this one; answers their processes.
pub async fn terminate_clients(session: &Session) -> Result<Vec<i32>, PgError> {
    // Materialized: the function must not be asked about a process before it is known to be one of those.
    let sql = "WITH clients AS MATERIALIZED (SELECT pid FROM pg_stat_activity \
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) \
               SELECT pid FROM clients WHERE pg_terminate_backend(pid)";
    numbers(session, sql).await
}

/// Which of `processes` still serve a client.
pub async fn clients_among(session: &Session, processes: &[i32]) -> Result<Vec<i32>, PgError> {
    let list: Vec<String> = processes.iter().map(i32::to_string).collect();
    let sql = format!("SELECT pid FROM pg_stat_activity WHERE pid = ANY ('{{{}}}')", list.join(","));
    numbers(session, &sql).await
}

/// Cancels every commit that waits for a synchronous standby; answers a name for each.
pub async fn cancel_sync_waits(session: &Session) -> Result<Vec<String>, PgError> {
    let sql = format!(
        "WITH waits AS MATERIALIZED \
             (SELECT pid, {WAIT} AS wait FROM pg_stat_activity WHERE wait_event = 'SyncRep') \
         SELECT wait FROM waits WHERE pg_cancel_backend(pid)"
    );
    Ok(session.simple_query_rows(&sql).await?.into_iter().flatten().flatten().collect())
}

/// What tells one wait for a standby from the next of the same session.
const WAIT: &str = "pid || ' ' || query_start";

/// The commits that wait for a synchronous standby just now, by the same names.
pub async fn sync_waits(session: &Session) -> Result<Vec<String>, PgError> {
    let sql = format!("SELECT {WAIT} FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    Ok(session.simple_query_rows(&sql).await?.into_iter().flatten().flatten().collect())
}

/// Asks a replica to become a primary; [`is_in_recovery`] says when it has.
pub async fn promote(session: &Session) -> Result<(), PgError> {
    scalar(session, "SELECT pg_promote(wait => false)").await.map(drop)
}

/// Asks a replica to stop its replay, or to let it go on. When it has: [`is_replay_paused`].
pub async fn pause_replay(session: &Session, pause: bool) -> Result<(), PgError> {
    let function = if pause { "pg_wal_replay_pause" } else { "pg_wal_replay_resume" };
    session.batch(&format!("SELECT {function}()")).await
}

/// Whether nothing is replayed until somebody resumes it; on a primary an error with code 55000.
pub async fn is_replay_paused(session: &Session) -> Result<bool, PgError> {
    Ok(scalar(session, "SELECT pg_get_wal_replay_pause_state()").await?.as_deref() == Some("paused"))
}

/// How many other sessions that call themselves `application_name` have the server at work, or in a transaction.
pub async fn busy_sessions(session: &Session, application_name: &str) -> Result<i64, PgError> {
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE application_name = $1 AND pid <> pg_backend_pid() AND state <> 'idle'";
    let statement = session.prepare(sql).await?;
    get(&session.query_one(&statement, &[&application_name]).await?, 0)
}

/// The primary's view of its replicas, prepared once per session.
#[derive(Debug)]
pub struct LagProbe {
    statement: Statement,
}

impl LagProbe {
    /// Prepares the query on a session with the primary.
    pub async fn prepare(session: &Session) -> Result<LagProbe, PgError> {
        // One row at least, for the insert position, even when no replica is connected. Of several connections with
        // one name (a dead one not yet noticed beside its successor) the youngest comes last.
        let sql = format!(
            "SELECT p.insert::text, r.application_name, r.state, r.sent_lsn::text, r.write_lsn::text, \
                   r.flush_lsn::text, r.replay_lsn::text, \
                   (extract(epoch FROM r.write_lag) * 1000000)::int8, \
                   (extract(epoch FROM r.flush_lag) * 1000000)::int8, \
                   (extract(epoch FROM r.replay_lag) * 1000000)::int8 \
                   FROM (SELECT {END_OF_LOG} AS insert) p \
                   LEFT JOIN pg_stat_replication r ON true ORDER BY r.backend_start"
        );
        Ok(LagProbe { statement: session.prepare(&sql).await? })
    }

    /// One sample per replica, in the order of `replicas`. A replica's name is its `application_name`.
    pub async fn sample(
        &self,
        session: &Session,
        clock: &Clock,
        replicas: &[NodeName],
    ) -> Result<Vec<LagSample>, PgError> {
        let asked = clock.now();
        let rows = session.query(&self.statement, &[]).await?;
        let time = clock.now();
        let took = time.since(asked);
        let mut insert = None;
        let mut links: BTreeMap<String, &Row> = BTreeMap::new();
        for row in &rows {
            insert = lsn(get(row, 0)?)?;
            if let Some(name) = get::<Option<String>>(row, 1)? {
                links.insert(name, row);
            }
        }
        let sample = |node: &NodeName| {
            let mut sample = LagSample { time, took, insert, ..unknown(*node) };
            sample.state = LinkState::Disconnected;
            if let Some(row) = links.get(node.as_str()) {
                sample.state = match get::<Option<&str>>(row, 2)? {
                    Some("streaming") => LinkState::Streaming,
                    Some(_) => LinkState::Catchup,
                    // Not for everybody to see.
                    None => LinkState::Unknown,
                };
                sample.sent = lsn(get(row, 3)?)?;
                sample.written = lsn(get(row, 4)?)?;
                sample.flushed = lsn(get(row, 5)?)?;
                sample.replayed = lsn(get(row, 6)?)?;
                sample.write_lag = micros(get(row, 7)?);
                sample.flush_lag = micros(get(row, 8)?);
                sample.replay_lag = micros(get(row, 9)?);
            }
            Ok(sample)
        };
        replicas.iter().map(sample).collect()
    }

    /// The samples for a primary that did not answer a question asked at `asked`.
    pub fn unanswered(clock: &Clock, asked: Nanos, replicas: &[NodeName]) -> Vec<LagSample> {
        let time = clock.now();
        let sample = |node: &NodeName| LagSample { time, took: time.since(asked), ..unknown(*node) };
        replicas.iter().map(sample).collect()
    }
}

fn unknown(node: NodeName) -> LagSample {
    LagSample {
        time: Nanos(0),
        took: Nanos(0),
        node,
        state: LinkState::Unknown,
        insert: None,
        sent: None,
        written: None,
        flushed: None,
        replayed: None,
        write_lag: None,
        flush_lag: None,
        replay_lag: None,
    }
}

async fn numbers(session: &Session, sql: &str) -> Result<Vec<i32>, PgError> {
    let rows = session.simple_query_rows(sql).await?;
    rows.into_iter().flatten().flatten().map(|text| number(&text)).collect()
}

fn number<N: FromStr>(text: &str) -> Result<N, PgError> {
    text.parse().map_err(|_| PgError::Mismatch(format!("a number is `{text}`")))
}

async fn scalar(session: &Session, sql: &str) -> Result<Option<String>, PgError> {
    let rows = session.simple_query_rows(sql).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}

/// The driver's own parser accepts what PostgreSQL never sends, so positions travel as text.
fn lsn(text: Option<String>) -> Result<Option<Lsn>, PgError> {
    let parsed = text.map(|text| Lsn::parse_optional(&text)).transpose();
    Ok(parsed.map_err(|error| PgError::Mismatch(error.to_string()))?.flatten())
}

/// An interval in microseconds; a clock that was set back gives a negative one, which is none.
fn micros(micros: Option<i64>) -> Option<Nanos> {
    micros.and_then(|micros| u64::try_from(micros).ok()).map(|micros| Nanos(micros * 1_000))
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, PgError> {
    row.try_get(column).map_err(|error| PgError::Mismatch(error.to_string()))
}
