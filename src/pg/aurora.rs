//! What Aurora PostgreSQL adds to PostgreSQL: functions that say who one is talking to and how far the readers are, and
//! functions that break things.
//!
//! Source: Amazon Aurora user guide, "aurora_replica_status", "aurora_db_instance_identifier" and "Testing Amazon Aurora
//! PostgreSQL by using fault injection queries". Names are qualified, so that no schema of the user's comes before them.

use super::{PgError, Session};
use crate::history::{Congestion, DiskFailure, Nanos, ReplicaFailure};

/// What a node has that a run asks PostgreSQL for, and Aurora may refuse: each with the statement that shows it.
const ASKED: [(&str, &str); 8] = [
    ("pg_current_wal_insert_lsn()", "SELECT pg_current_wal_insert_lsn()"),
    ("pg_current_wal_flush_lsn()", "SELECT pg_current_wal_flush_lsn()"),
    ("pg_last_wal_receive_lsn()", "SELECT pg_last_wal_receive_lsn()"),
    ("pg_last_wal_replay_lsn()", "SELECT pg_last_wal_replay_lsn()"),
    ("pg_stat_wal_receiver", "SELECT count(*) FROM pg_stat_wal_receiver"),
    ("pg_stat_replication", "SELECT count(*) FROM pg_stat_replication"),
    ("aurora_replica_status()", "SELECT count(*) FROM pg_catalog.aurora_replica_status()"),
    ("aurora_db_instance_identifier()", "SELECT pg_catalog.aurora_db_instance_identifier()"),
];

/// `recovery is in progress`, and that it is not: what a function of the other role answers.
const OF_THE_OTHER_ROLE: &str = "55000";

/// Who answered on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Whether it is a reader.
    pub in_recovery: bool,
    /// `aurora_db_instance_identifier()`; `None` on a server that has no such function.
    pub instance: Option<String>,
}

/// A row of `aurora_replica_status()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The instance's identifier.
    pub server_id: String,
    /// Whether it is the writer's row.
    pub is_writer: bool,
    /// `replica_lag_in_msec`: how far its page cache is behind the writer.
    pub lag: Option<Nanos>,
    /// How old the row is; `None` for the instance that was asked.
    pub age: Option<Nanos>,
}

/// Asks who answers.
pub async fn who(session: &Session) -> Result<Who, PgError> {
    let both = "SELECT pg_is_in_recovery(), pg_catalog.aurora_db_instance_identifier()";
    let (rows, has_name) = match session.simple_query_rows(both).await {
        // undefined_function
        Err(PgError::Sql { sqlstate, .. }) if sqlstate == "42883" => {
            (session.simple_query_rows("SELECT pg_is_in_recovery()").await?, false)
        }
        rows => (rows?, true),
    };
    let mut row = rows.into_iter().next().unwrap_or_default().into_iter();
    let in_recovery = row.next().flatten().as_deref() == Some("t");
    Ok(Who { in_recovery, instance: row.next().flatten().filter(|_| has_name) })
}

/// `aurora_version()`; `None` on a server that has no such function.
pub async fn version(session: &Session) -> Result<Option<String>, PgError> {
    match session.simple_query_rows("SELECT pg_catalog.aurora_version()").await {
        Ok(rows) => Ok(rows.into_iter().flatten().next().flatten()),
        Err(PgError::Sql { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every instance of the cluster, as the one that is asked has heard of it.
pub async fn replica_status(session: &Session) -> Result<Vec<ReplicaStatus>, PgError> {
    let sql = "SELECT server_id, session_id OPERATOR(pg_catalog.=) 'MASTER_SESSION_ID', \
               (replica_lag_in_msec * 1000000)::int8, \
               (extract(epoch FROM pg_catalog.clock_timestamp() - last_update_timestamp) * 1000000000)::int8 \
               FROM pg_catalog.aurora_replica_status()";
    let rows = session.simple_query_rows(sql).await?;
    let nanos = |text: Option<String>| text.and_then(|text| text.parse().ok()).map(Nanos);
    let row = |row: Vec<Option<String>>| {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        Some(ReplicaStatus {
            server_id: next()?,
            is_writer: next().as_deref() == Some("t"),
            lag: nanos(next()),
            age: nanos(next()),
        })
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// What a server says to what a run may ask it for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// What it refuses, each with the error's code. That a function is for the other role is no refusal.
    pub refused: Vec<(String, String)>,
    /// What got no answer: whether it is refused is not known.
    pub unanswered: Vec<String>,
}

impl Answers {
    /// Of a server that nobody could ask.
    pub fn nobody() -> Answers {
        let unanswered = ASKED.iter().map(|(name, _)| (*name).to_owned()).collect();
        Answers { refused: Vec::new(), unanswered }
    }

    fn take<T>(&mut self, name: &str, answer: Result<T, PgError>) {
        match answer {
            Ok(_) => {}
            Err(PgError::Sql { sqlstate, .. }) if sqlstate == OF_THE_OTHER_ROLE => {}
            Err(PgError::Sql { sqlstate, .. }) => self.refused.push((name.to_owned(), sqlstate)),
            Err(_) => self.unanswered.push(name.to_owned()),
        }
    }
}

/// Asks for everything. With the first that gets no answer the session is over, and those after it get none either.
pub async fn answers(session: &Session) -> Answers {
    let mut answers = Answers::default();
    for (name, sql) in ASKED {
        answers.take(name, session.simple_query_rows(sql).await);
    }
    answers
}

/// The statement that makes the instance crash which it is sent to.
pub const CRASH: &str = "SELECT pg_catalog.aurora_inject_crash('instance')";

/// The statement that makes a share of what is sent to the reader `instance` fail.
pub fn replica_failure(failure: ReplicaFailure, instance: &str) -> String {
    let ReplicaFailure { percent, length } = failure;
    let instance = instance.replace('\'', "''");
    format!(
        "SELECT pg_catalog.aurora_inject_replica_failure({percent}.0, {}, '{instance}')",
        whole_seconds(length)
    )
}

/// The statement that makes a share of the requests to a part of the volume fail.
pub fn disk_failure(failure: DiskFailure) -> String {
    let DiskFailure { percent, index, of_node, length } = failure;
    format!(
        "SELECT pg_catalog.aurora_inject_disk_failure({percent}.0, {index}, {}, {})",
        !of_node,
        whole_seconds(length)
    )
}

/// The statement that makes a share of the requests to a part of the volume slow.
pub fn disk_congestion(congestion: Congestion) -> String {
    let Congestion { failure, shortest, longest } = congestion;
    format!(
        "SELECT pg_catalog.aurora_inject_disk_congestion({}.0, {}, {}, {}, {}, {})",
        failure.percent,
        failure.index,
        !failure.of_node,
        whole_seconds(failure.length),
        millis(shortest),
        millis(longest)
    )
}

fn whole_seconds(length: Nanos) -> u64 {
    length.0.div_ceil(1_000_000_000)
}

/// Milliseconds with their fraction.
fn millis(length: Nanos) -> f64 {
    length.0 as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Lost;

    #[test]
    fn what_gets_no_answer_is_not_refused_and_not_granted() {
        let sql = |sqlstate: &str| {
            let (sqlstate, severity) = (sqlstate.to_owned(), "ERROR".to_owned());
            Err(PgError::Sql { sqlstate, severity, message: String::new(), detail: None })
        };
        let mut answers = Answers::default();
        for (name, answer) in [
            ("granted", Ok(())),
            ("of the other role", sql("55000")),
            ("refused", sql("0A000")),
            ("late", Err(PgError::Deadline(std::time::Duration::from_secs(10)))),
            ("after it", Err(PgError::ConnectionLost(Lost { sqlstate: None, message: "gone".to_owned() }))),
        ] {
            answers.take(name, answer);
        }
        assert_eq!(answers.refused, [("refused".to_owned(), "0A000".to_owned())]);
        assert_eq!(answers.unanswered, ["late", "after it"]);
        assert_eq!(Answers::nobody().unanswered.len(), ASKED.len());
    }

    #[test]
    fn faults_are_said_as_the_manual_says_them() {
        let length = Nanos::from_millis(1_500);
        let failure = DiskFailure { percent: 50, index: 3, of_node: true, length };
        insta::assert_snapshot!(replica_failure(ReplicaFailure { percent: 100, length }, "o'lab-2"), @"SELECT pg_catalog.aurora_inject_replica_failure(100.0, 2, 'o''lab-2')");
        insta::assert_snapshot!(disk_failure(failure), @"SELECT pg_catalog.aurora_inject_disk_failure(50.0, 3, false, 2)");
        let congestion = Congestion { failure, shortest: Nanos(2_500_000), longest: Nanos::from_millis(40) };
        insta::assert_snapshot!(disk_congestion(congestion), @"SELECT pg_catalog.aurora_inject_disk_congestion(50.0, 3, false, 2, 2.5, 40)");
    }
}
