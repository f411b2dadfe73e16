//! What a failed call is worth as evidence: the one place that decides between `Fail` and `Info`.

use super::PgError;
use crate::history::{Cause, CauseClass};

/// How far a transaction had come when the error arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing that can commit was sent: no `COMMIT`, and no statement outside a transaction block.
    BeforeCommit,
    /// `COMMIT`, or a statement that is a transaction of its own, may have reached the server.
    CommitSent,
    /// Statements that were meant for one transaction block were sent, and there was no block: they commit one by one.
    NoBlock,
}

/// What the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It certainly did not happen.
    Fail,
    /// It may or may not have happened.
    Info,
}

/// Whether an operation that ended with `error` in `stage` certainly did not happen. Doubt is [`Certainty::Info`].
pub fn certainty(stage: Stage, error: &PgError) -> Certainty {
    match (stage, error) {
        // PostgreSQL rolls a transaction back whose session ends before COMMIT, however it ends.
        (Stage::BeforeCommit, _) => Certainty::Fail,
        // Nothing was sent over a connection that was never made.
        (Stage::CommitSent, PgError::CannotConnect(_)) => Certainty::Fail,
        // Each statement may have its own outcome, whatever the error is about.
        (Stage::NoBlock, _) => Certainty::Info,
        // The server answered, and the session goes on: only if the code is one that goes with a rollback.
        (Stage::CommitSent, PgError::Sql { sqlstate, severity, .. }) if severity == "ERROR" => {
            rolled_back(sqlstate)
        }
        // A WARNING, a session ended by FATAL (57P01 …), a broken connection, silence, an answer that was not
        // understood: the commit record may be in the log.
        (Stage::CommitSent, _) => Certainty::Info,
    }
}

/// Whether an `ERROR` with this code means that its transaction is rolled back (manual, "PostgreSQL Error Codes").
fn rolled_back(sqlstate: &str) -> Certainty {
    match (sqlstate.get(..2), sqlstate) {
        // statement_completion_unknown, transaction_resolution_unknown: the names say it.
        (_, "40003" | "08007") => Certainty::Info,
        // no_active_sql_transaction: there was no transaction block, so its statements committed one by one.
        (_, "25P01") => Certainty::Info,
        // Shutdown and crash: the session ends, whatever was sent as its severity.
        (_, "57P01" | "57P02" | "57P03" | "57P04" | "57P05") => Certainty::Info,
        // 40 rollback: serialization failure, deadlock. 23 a constraint. 25 transaction state, with 25P02 as the
        // honest commit's answer for an aborted transaction and 25006 for a write on a replica.
        (Some("40" | "23" | "25"), _) => Certainty::Fail,
        // 21, 22 data; 2B, 42 syntax and access; 0A not supported; 44 check option; P0 raised by a function.
        (Some("21" | "22" | "2B" | "42" | "0A" | "44" | "P0"), _) => Certainty::Fail,
        // 53 resources (disk full, out of memory), 54 limits, 55 object state, 57014 cancelled: raised as ERROR only
        // before the commit record is written; afterwards PostgreSQL warns (01000) or panics.
        (Some("53" | "54" | "55"), _) | (_, "57014") => Certainty::Fail,
        // 08 connection exceptions (a pooler's), 58 system errors, XX internal errors, anything not listed.
        _ => Certainty::Info,
    }
}

/// The error as a history keeps it.
pub fn cause(error: &PgError) -> Cause {
    let (class, message) = match error {
        PgError::Sql { message, .. } => (CauseClass::Server, message.clone()),
        PgError::ConnectionLost(lost) => (CauseClass::ConnectionLost, lost.message.clone()),
        PgError::CannotConnect(lost) => (CauseClass::CannotConnect, lost.message.clone()),
        PgError::Deadline(_) => (CauseClass::Deadline, error.to_string()),
        PgError::Mismatch(_) => (CauseClass::Server, error.to_string()),
    };
    Cause { class, sqlstate: error.sqlstate().map(str::to_owned), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::Lost;
    use std::time::Duration;

    fn sql(severity: &str, sqlstate: &str) -> PgError {
        PgError::Sql {
            sqlstate: sqlstate.to_owned(),
            severity: severity.to_owned(),
            message: "m".to_owned(),
            detail: None,
        }
    }

    fn lost(sqlstate: Option<&str>) -> Lost {
        Lost { sqlstate: sqlstate.map(str::to_owned), message: "gone".to_owned() }
    }

    #[test]
    fn before_commit_nothing_can_have_happened() {
        for error in [
            sql("ERROR", "40001"),
            sql("ERROR", "XX000"),
            PgError::ConnectionLost(lost(None)),
            PgError::Deadline(Duration::from_secs(1)),
            PgError::Mismatch("m".to_owned()),
        ] {
            assert_eq!(certainty(Stage::BeforeCommit, &error), Certainty::Fail, "{error:?}");
        }
    }

    #[test]
    fn after_commit_was_sent_only_a_rollback_is_certain() {
        for code in ["40001", "40P01", "23505", "23514", "25P02", "25006", "42601", "53100", "57014", "P0001"]
        {
            assert_eq!(certainty(Stage::CommitSent, &sql("ERROR", code)), Certainty::Fail, "{code}");
        }
        for code in
            ["40003", "08007", "08006", "25P01", "57P01", "57P03", "58030", "XX000", "99999", "", "é1"]
        {
            assert_eq!(certainty(Stage::CommitSent, &sql("ERROR", code)), Certainty::Info, "{code}");
        }
    }

    #[test]
    fn doubt_is_info() {
        for error in [
            sql("WARNING", "25P01"),
            sql("FEHLER", "40001"),
            PgError::ConnectionLost(lost(Some("40001"))),
            PgError::ConnectionLost(lost(None)),
            PgError::Deadline(Duration::from_secs(1)),
            PgError::Mismatch("m".to_owned()),
        ] {
            assert_eq!(certainty(Stage::CommitSent, &error), Certainty::Info, "{error:?}");
        }
        assert_eq!(certainty(Stage::NoBlock, &sql("ERROR", "40001")), Certainty::Info);
        let nothing_sent = PgError::CannotConnect(lost(Some("57P03")));
        assert_eq!(certainty(Stage::CommitSent, &nothing_sent), Certainty::Fail);
    }

    #[test]
    fn a_cause_keeps_the_code_and_the_class() {
        let kept = cause(&PgError::CannotConnect(lost(Some("57P03"))));
        assert_eq!((kept.class, kept.sqlstate.as_deref()), (CauseClass::CannotConnect, Some("57P03")));
        assert_eq!(cause(&sql("ERROR", "40001")).class, CauseClass::Server);
        assert_eq!(cause(&PgError::Deadline(Duration::from_millis(5))).message, "no answer within 5 ms");
    }
}
