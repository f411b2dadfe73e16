//! Lists and registers on PostgreSQL.

use tokio_postgres::Statement;

use super::{Holds, POSITION, Terms};
use crate::history::{Committed, Micro, Observed, TxnOp, TxnReply};
use crate::isolation::Isolation;
use crate::lsn::Lsn;
use crate::pg::{Bound, Done, Failed, PgError, Session, Stage, ToSql, probe};
use crate::topology::Role;
use crate::workload::{Answer, digest, warning};

/// A session; statements are prepared when the first transaction needs them.
pub(super) struct Transactions {
    session: Session,
    role: Role,
    terms: Terms,
    prepared: Option<Prepared>,
}

struct Prepared {
    begin: &'static str,
    read: Statement,
    /// A replica refuses to write, and its readers need it not.
    write: Option<Statement>,
}

impl Transactions {
    pub(super) fn new(session: Session, role: Role, terms: Terms) -> Transactions {
        Transactions { session, role, terms, prepared: None }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &TxnOp) -> Answer<TxnReply> {
        match op {
            TxnOp::Digest { table } => {
                Answer::read(digest::table(&self.session, self.role, *table).await.map(TxnReply::Digest))
            }
            TxnOp::Transaction(micros) | TxnOp::Last(micros) => self.transaction(micros).await,
        }
    }

    /// One round trip: `BEGIN`, the reads and writes in their order, `COMMIT`.
    async fn transaction(&mut self, micros: &[Micro]) -> Answer<TxnReply> {
        let writes = !micros.iter().all(Micro::is_read);
        if let Err(error) = self.prepare(writes).await {
            return Answer::error(Stage::BeforeCommit, &error);
        }
        let Some(Prepared { begin, read, write }) = &self.prepared else {
            return Answer::error(Stage::BeforeCommit, &PgError::Mismatch("nothing is prepared".to_owned()));
        };
        let parameters: Vec<Vec<&(dyn ToSql + Sync)>> = micros
            .iter()
            .map(|micro| -> Vec<&(dyn ToSql + Sync)> {
                match micro {
                    Micro::Read(key) => vec![key],
                    Micro::Append(key, value) | Micro::Write(key, value) => vec![key, value],
                }
            })
            .collect();
        let statement = |micro: &Micro| if micro.is_read() { read } else { write.as_ref().unwrap_or(read) };
        let bound: Vec<Bound<'_>> =
            micros.iter().zip(&parameters).map(|(micro, with)| (statement(micro), with.as_slice())).collect();
        let done = self.session.transaction_of(begin, bound).await;
        let warning = warning(self.session.take_warnings());
        match done {
            Ok(done) => match committed(self.terms.holds, micros, &done) {
                Ok(committed) => Answer::Ok { reply: TxnReply::Committed(committed), warning },
                Err(error) => Answer::error(Stage::CommitSent, &error),
            },
            // It changes nothing, so whatever went wrong, it certainly did not happen.
            Err(Failed { error, .. }) if !writes => Answer::read(Err(error)),
            Err(Failed { stage, error }) => Answer::error(stage, &error),
        }
    }

    async fn prepare(&mut self, writes: bool) -> Result<(), PgError> {
        let holds = self.terms.holds;
        if self.prepared.is_none() {
            let level = match self.terms.level {
                // Who was a replica may be the primary now, and the other way round.
                Isolation::Serializable if probe::is_in_recovery(&self.session).await? => {
                    Isolation::RepeatableRead
                }
                level => level,
            };
            let read = self.session.prepare(&holds.read_sql()).await?;
            self.prepared = Some(Prepared { begin: level.begin(), read, write: None });
        }
        match &mut self.prepared {
            Some(prepared) if writes && prepared.write.is_none() => {
                // A position that the server does not tell is nothing that a transaction may fail of.
                let sql = match probe::insert_lsn(&self.session).await {
                    Err(PgError::Sql { .. }) => holds.write_sql().replace(POSITION, "NULL"),
                    Ok(_) => holds.write_sql(),
                    Err(error) => return Err(error),
                };
                prepared.write = Some(self.session.prepare(&sql).await?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the answers say.
fn committed(holds: Holds, micros: &[Micro], done: &[Done]) -> Result<Committed, PgError> {
    let mut committed = Committed::default();
    let wrong = |error: tokio_postgres::Error| PgError::Mismatch(error.to_string());
    for (micro, Done { rows, .. }) in micros.iter().zip(done) {
        let row = rows.first();
        if micro.is_read() {
            committed.reads.push(match (holds, row) {
                (Holds::List, None) => Observed::List(Vec::new()),
                (Holds::List, Some(row)) => Observed::List(row.try_get(0).map_err(wrong)?),
                (Holds::Register, None) => Observed::Register(None),
                (Holds::Register, Some(row)) => Observed::Register(Some(row.try_get(0).map_err(wrong)?)),
            });
        } else if let Some(row) = row {
            let (xid, lsn): (String, Option<String>) =
                (row.try_get(0).map_err(wrong)?, row.try_get(1).map_err(wrong)?);
            committed.xid = xid.parse().ok();
            committed.lsn = lsn.and_then(|lsn| Lsn::parse_optional(&lsn).ok().flatten());
        }
    }
    Ok(committed)
}
