//! One connection to one server, with a deadline on every call.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{
    AsyncMessage, Client, Connection, Row, SimpleQueryMessage, Statement, tls::NoTlsStream,
};

use super::dial::{Dialled, Wire, dial};
use super::{Conninfo, Lost, PgError};

/// How long a session waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For a connection, authentication and a first answer included.
    pub connect: Duration,
    /// For the answer to a call.
    pub statement: Duration,
}

/// What the server says beside its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, …
    pub severity: String,
    /// Five characters; `01000` for a commit whose wait for a standby was cancelled.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
}

/// A connection. Calls are sent in the order in which their futures are first polled, without waiting for the
/// answers of earlier ones, so `tokio::join!` of several calls is one round trip.
///
/// A call that is dropped before it is done leaves the session in an unknown transaction state: do not use it again.
#[derive(Debug)]
pub struct Session {
    pub(super) client: Client,
    driver: Driver,
    deadlines: Deadlines,
    backend_pid: i32,
    peer: Option<SocketAddr>,
}

/// The task that moves bytes for one session.
#[derive(Debug)]
struct Driver {
    task: JoinHandle<()>,
    link: Arc<Link>,
}

/// What the task and the session share.
#[derive(Debug, Default)]
struct Link {
    given_up: AtomicBool,
    /// Lets a call look for notices without taking the lock.
    noticed: AtomicBool,
    notices: Mutex<Vec<Notice>>,
    ended: Mutex<Option<Lost>>,
}

impl Session {
    /// Connects, with TLS where `conninfo` says so, authenticates, and has one query answered. The host's name is resolved
    /// and a minted password is made anew each time, within the same deadline.
    ///
    /// # Errors
    /// [`PgError::CannotConnect`], with the code where the server sent one (`57P03`: it is starting up or shutting
    /// down); also where the server cannot be verified, where no password could be minted, and where the session did not
    /// get a setting that `conninfo` asks for.
    pub async fn connect(
        conninfo: &Conninfo,
        application_name: &str,
        deadlines: Deadlines,
    ) -> Result<Session, PgError> {
        let attempt = async {
            let Dialled { client, connection, peer } = dial(conninfo, application_name).await?;
            let link = Arc::new(Link::default());
            let task = tokio::spawn(drive(connection, Arc::clone(&link)));
            let driver = Driver { task, link };
            let mut sql = "SELECT pg_backend_pid()".to_owned();
            conninfo.settings().iter().for_each(|(name, _)| sql += &format!(", current_setting('{name}')"));
            let lost = |error: tokio_postgres::Error| Lost::of(&error);
            let rows = client.query_typed(&sql, &[]).await.map_err(lost)?;
            let backend_pid = rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(lost)?;
            let refused = rows.first().and_then(|row| refused(conninfo, row));
            Ok((Session { client, driver, deadlines, backend_pid, peer }, refused))
        };
        match timeout(deadlines.connect, attempt).await {
            Ok(Ok((session, None))) => {
                // What a server tells whoever connects is no word on what is sent afterwards.
                drop(session.take_warnings());
                Ok(session)
            }
            Ok(Ok((_, Some(message)))) => Err(PgError::CannotConnect(Lost::because(message))),
            Ok(Err(lost)) => Err(PgError::CannotConnect(lost)),
            Err(_) => {
                let message = format!("no answer within {} ms", deadlines.connect.as_millis());
                Err(PgError::CannotConnect(Lost::because(message)))
            }
        }
    }

    /// The process id of the server's side, for `pg_stat_activity` and the server's log.
    pub fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    /// Where the server is that answers, as its name was resolved for this connection; `None` for a socket of this machine.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Has `sql` parsed and planned once.
    pub async fn prepare(&self, sql: &str) -> Result<Statement, PgError> {
        self.bounded(self.client.prepare(sql)).await
    }

    /// Runs a prepared statement; answers the number of rows it touched.
    pub async fn execute(
        &self,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, PgError> {
        self.bounded(self.client.execute(statement, params)).await
    }

    /// Runs a prepared statement; answers its rows.
    pub async fn query(
        &self,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, PgError> {
        self.bounded(self.client.query(statement, params)).await
    }

    /// Runs a prepared statement that answers exactly one row.
    ///
    /// # Errors
    /// [`PgError::Mismatch`] for no row and for several.
    pub async fn query_one(
        &self,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, PgError> {
        self.bounded(self.client.query_one(statement, params)).await
    }

    /// Runs a prepared statement that answers one row or none.
    pub async fn query_opt(
        &self,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, PgError> {
        self.bounded(self.client.query_opt(statement, params)).await
    }

    /// Runs statements that need no parameters and whose answer does not matter (simple query protocol).
    ///
    /// Not for `COMMIT`: see [`Session::commit`].
    pub async fn batch(&self, sql: &str) -> Result<(), PgError> {
        self.bounded(self.client.batch_execute(sql)).await
    }

    /// Runs `sql` and answers its rows as text, `None` for NULL (simple query protocol).
    pub async fn simple_query_rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, PgError> {
        let messages = self.bounded(self.client.simple_query(sql)).await?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Commits the transaction, or says that it did not.
    ///
    /// PostgreSQL answers a bare `COMMIT` of an aborted transaction with success and the tag `ROLLBACK`, and the
    /// driver drops the tag. So a statement goes first, in the same message: in an aborted transaction it fails with
    /// `25P02`, and `COMMIT` is not reached; the transaction block is then still open, for `ROLLBACK` or for dropping
    /// the session. Where there is no transaction block PostgreSQL only warns (`25P01`): that warning is the error
    /// here, since the statements that were meant for one block committed one by one.
    pub async fn commit(&self) -> Result<(), PgError> {
        self.bounded(self.client.batch_execute("SELECT 1; COMMIT")).await?;
        self.block_was_open()
    }

    /// Whether the `COMMIT` that was just answered ended a transaction block.
    pub(super) fn block_was_open(&self) -> Result<(), PgError> {
        match self.driver.link.no_transaction() {
            Some(notice) => Err(PgError::Sql {
                sqlstate: notice.sqlstate,
                severity: notice.severity,
                message: notice.message,
                detail: None,
            }),
            None => Ok(()),
        }
    }

    /// What the server said since the last time, oldest first. A notice about a call is here when the call is done.
    pub fn take_warnings(&self) -> Vec<Notice> {
        if !self.driver.link.noticed.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&self.driver.link.notices))
    }

    /// Whether the session is of no more use: lost, or given up after a deadline.
    pub fn is_closed(&self) -> bool {
        self.driver.link.given_up.load(Ordering::Acquire) || self.client.is_closed()
    }

    /// Says goodbye to the server and waits until the connection is gone, at most the connect deadline.
    pub async fn close(self) {
        let Session { client, mut driver, deadlines, .. } = self;
        drop(client);
        if timeout(deadlines.connect, &mut driver.task).await.is_err() {
            driver.task.abort();
        }
    }

    /// What the driver's error means on this session.
    pub(super) fn explain(&self, error: &tokio_postgres::Error) -> PgError {
        self.driver.link.explain(PgError::of_call(error))
    }

    pub(super) async fn bounded<T>(
        &self,
        call: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, PgError> {
        let link = &self.driver.link;
        if link.given_up.load(Ordering::Acquire) {
            return Err(PgError::ConnectionLost(Lost {
                sqlstate: None,
                message: "the session was given up after a deadline".to_owned(),
            }));
        }
        match timeout(self.deadlines.statement, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.explain(&error)),
            Err(_) => {
                link.given_up.store(true, Ordering::Release);
                Err(PgError::Deadline(self.deadlines.statement))
            }
        }
    }
}

impl Drop for Driver {
    /// A session that is given up may never be answered: its socket goes at once. Any other says goodbye first.
    fn drop(&mut self) {
        if self.link.given_up.load(Ordering::Acquire) {
            self.task.abort();
        }
    }
}

impl Link {
    fn notice(&self, notice: Notice) {
        lock(&self.notices).push(notice);
        self.noticed.store(true, Ordering::Release);
    }

    /// Takes the warning that there was no transaction to commit, and leaves the others.
    fn no_transaction(&self) -> Option<Notice> {
        if !self.noticed.load(Ordering::Acquire) {
            return None;
        }
        let mut notices = lock(&self.notices);
        let at = notices.iter().position(|notice| notice.sqlstate == "25P01")?;
        Some(notices.remove(at))
    }

    /// The driver reports a connection that the server ended while it was idle as closed, without the server's words.
    fn explain(&self, error: PgError) -> PgError {
        match error {
            PgError::ConnectionLost(Lost { sqlstate: None, message }) => {
                let ended = lock(&self.ended).clone();
                PgError::ConnectionLost(ended.unwrap_or(Lost { sqlstate: None, message }))
            }
            other => other,
        }
    }
}

/// What the session is not set to although `conninfo` asks for it; `row` holds the settings behind the process id.
fn refused(conninfo: &Conninfo, row: &Row) -> Option<String> {
    let mut wanted = conninfo.settings().iter().zip(1..);
    wanted.find_map(|((name, value), column)| {
        let found: String = row.try_get(column).unwrap_or_default();
        (!is_same(name, &found, value)).then(|| {
            format!("the session has {name} = {found} although it asked for {value}; is a pooler in between?")
        })
    })
}

/// Whether a setting is what was asked for. Values of an enumeration are taken in any case and shown as the server spells
/// them (manual, "Parameter Names and Values"); how Aurora spells these is not written down.
fn is_same(name: &str, found: &str, wanted: &str) -> bool {
    match name {
        "apg_write_forward.consistency_mode" => found.eq_ignore_ascii_case(wanted),
        _ => found == wanted,
    }
}

/// Moves bytes until the connection ends, and keeps what the server says beside its answers.
async fn drive(connection: Connection<Box<dyn Wire>, NoTlsStream>, link: Arc<Link>) {
    let mut connection = pin!(connection);
    loop {
        match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => link.notice(Notice {
                severity: notice.severity().to_owned(),
                sqlstate: notice.code().code().to_owned(),
                message: notice.message().to_owned(),
            }),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                // Before `connection` is dropped, which is what wakes the calls that wait.
                *lock(&link.ended) = Some(Lost::of(&error));
                return;
            }
            None => return,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_the_same_however_it_is_spelled() {
        let mode = "apg_write_forward.consistency_mode";
        assert!(is_same(mode, "GLOBAL", "global") && is_same(mode, "global", "global"));
        assert!(!is_same(mode, "SESSION", "global") && !is_same(mode, "", "global"));
        assert!(is_same("search_path", "lab", "lab") && !is_same("search_path", "LAB", "lab"));
    }
}
