//! Sessions with a real server: honest commits, deadlines, notices, what a lost connection is called.

use std::sync::Arc;
use std::time::Duration;

use replab::history::{Clock, LinkState, NodeName};
use replab::pg::probe::{self, LagProbe};
use replab::pg::{Certainty, Conninfo, Deadlines, Host, PgError, Secret, Session, Stage, certainty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{DEADLINES, Lab, until};

async fn lab_with_session() -> Option<(Lab, Session)> {
    let lab = Lab::up(0).await?;
    let session = lab.session(NodeName::primary()).await;
    session.batch("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    Some((lab, session))
}

async fn count(session: &Session) -> String {
    session.simple_query_rows("SELECT count(*) FROM t").await.unwrap()[0][0].clone().unwrap()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the driver's commit is what is shown to lie")]
async fn commit_tells_the_truth_where_the_driver_does_not() {
    let Some((lab, session)) = lab_with_session().await else { return };

    let conninfo = lab.conninfo(NodeName::primary());
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(conninfo.port()).user(conninfo.user()).dbname(conninfo.dbname());
    config.password(conninfo.password().unwrap().expose());
    let (mut client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    transaction.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap_err();
    transaction.commit().await.expect("the driver says Ok");
    drop(client);
    connection.await.unwrap().unwrap();
    assert_eq!(count(&session).await, "0", "and nothing is committed");

    session.batch("BEGIN").await.unwrap();
    session.batch("INSERT INTO t VALUES (1)").await.unwrap();
    session.batch("INSERT INTO t VALUES (1)").await.unwrap_err();
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("25P02"));
    assert_eq!(certainty(Stage::CommitSent, &error), Certainty::Fail);
    session.batch("ROLLBACK").await.unwrap();
    assert_eq!(count(&session).await, "0");

    session.batch("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(count(&session).await, "1");

    // Without a block, what was meant for it has committed piece by piece: nobody may call that a failure.
    session.batch("INSERT INTO t VALUES (2)").await.unwrap();
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("25P01"));
    assert_eq!(certainty(Stage::CommitSent, &error), Certainty::Info);
    assert_eq!(count(&session).await, "2");
    lab.down().await;
}

/// A proxy that passes the client's bytes on at once, and the server's only while the gate is open. The client's
/// `COMMIT` opens it: a client that waits for an answer before it has sent that waits for ever.
async fn gated(server: u16, gate: Arc<watch::Sender<bool>>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) =
            TcpStream::connect(("127.0.0.1", server)).await.unwrap().into_split();
        let mut open = gate.subscribe();
        tokio::spawn(async move {
            let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                seen.extend_from_slice(&buffer[..read]);
                to_server.write_all(&buffer[..read]).await.unwrap();
                if seen.windows(6).any(|window| window == b"COMMIT") {
                    gate.send_replace(true);
                }
            }
        });
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            open.wait_for(|open| *open).await.unwrap();
            to_client.write_all(&buffer[..read]).await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn a_transaction_is_one_round_trip() {
    let Some((lab, session)) = lab_with_session().await else { return };
    let conninfo = lab.conninfo(NodeName::primary());
    let gate = Arc::new(watch::Sender::new(true));
    let port = gated(conninfo.port(), Arc::clone(&gate)).await;
    let piped = Session::connect(&conninfo.clone().with_port(port), "test", DEADLINES).await.unwrap();
    let insert = piped.prepare("INSERT INTO t VALUES ($1) RETURNING id").await.unwrap();
    gate.send_replace(false);
    let [first, second] = piped.transaction([(&insert, &[&1]), (&insert, &[&2])]).await.unwrap();
    assert_eq!((first.rows[0].get::<_, i32>(0), first.affected), (1, 1));
    assert_eq!((second.rows[0].get::<_, i32>(0), second.affected), (2, 1));
    assert_eq!(count(&session).await, "2");

    // The same proxy catches a client that does wait for each answer.
    let gate = Arc::new(watch::Sender::new(true));
    let port = gated(conninfo.port(), Arc::clone(&gate)).await;
    let short = Deadlines { statement: Duration::from_millis(50), ..DEADLINES };
    let waiting = Session::connect(&conninfo.with_port(port), "test", short).await.unwrap();
    gate.send_replace(false);
    assert_eq!(waiting.batch("BEGIN").await, Err(PgError::Deadline(short.statement)));
    lab.down().await;
}

#[tokio::test]
async fn a_transaction_that_failed_says_how_much_is_certain() {
    let Some((lab, session)) = lab_with_session().await else { return };
    session.batch("CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    let insert = session.prepare("INSERT INTO t VALUES ($1)").await.unwrap();
    let late = session.prepare("INSERT INTO late VALUES ($1)").await.unwrap();

    // The commit of an aborted block is answered with success; the statement's own answer decides.
    let failed = session.transaction([(&insert, &[&1]), (&insert, &[&1])]).await.unwrap_err();
    assert_eq!((failed.stage, failed.error.sqlstate()), (Stage::BeforeCommit, Some("23505")));
    assert_eq!(count(&session).await, "0");

    // An error of the commit itself.
    let failed = session.transaction([(&late, &[&1]), (&late, &[&1])]).await.unwrap_err();
    assert_eq!((failed.stage, failed.error.sqlstate()), (Stage::CommitSent, Some("23505")));
    assert_eq!(certainty(failed.stage, &failed.error), Certainty::Fail);

    // A call that the driver refuses is not sent, and the rest commits without it: no failure to rely on.
    let failed = session.transaction([(&insert, &[&1]), (&insert, &[&"two"])]).await.unwrap_err();
    assert!(matches!(failed.error, PgError::Mismatch(_)), "{failed:?}");
    assert_eq!(certainty(failed.stage, &failed.error), Certainty::Info);
    assert_eq!(count(&session).await, "1");

    // No new block inside one that is aborted; and the commit has closed it for the next.
    session.batch("BEGIN").await.unwrap();
    session.batch("SELECT 1 / 0").await.unwrap_err();
    let failed = session.transaction([(&insert, &[&2])]).await.unwrap_err();
    assert_eq!((failed.stage, failed.error.sqlstate()), (Stage::NoBlock, Some("25P02")));
    session.transaction([(&insert, &[&2])]).await.unwrap();
    assert_eq!(count(&session).await, "2");
    lab.down().await;
}

#[tokio::test]
async fn a_call_without_an_answer_ends_the_session() {
    let Some((lab, session)) = lab_with_session().await else { return };
    let conninfo = lab.conninfo(NodeName::primary());
    let deadlines = Deadlines { statement: Duration::from_millis(50), ..DEADLINES };
    let impatient = Session::connect(&conninfo, "impatient", deadlines).await.unwrap();
    let error = impatient.batch("SELECT pg_sleep(600)").await.unwrap_err();
    assert_eq!(error, PgError::Deadline(deadlines.statement));
    assert_eq!(certainty(Stage::CommitSent, &error), Certainty::Info);
    assert!(impatient.is_closed());
    assert!(matches!(impatient.batch("SELECT 1").await, Err(PgError::ConnectionLost(_))));
    assert!(!session.is_closed());
    lab.down().await;
}

#[tokio::test]
async fn warnings_are_kept_until_they_are_taken() {
    let Some((lab, session)) = lab_with_session().await else { return };
    assert_eq!(session.take_warnings(), []);
    session.batch("DO $$ BEGIN RAISE WARNING 'first'; RAISE NOTICE 'second'; END $$").await.unwrap();
    let taken = session.take_warnings();
    let taken: Vec<_> = taken.iter().map(|n| (&*n.severity, &*n.sqlstate, &*n.message)).collect();
    assert_eq!(taken, [("WARNING", "01000", "first"), ("NOTICE", "00000", "second")]);
    assert_eq!(session.take_warnings(), []);
    lab.down().await;
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_lost_with_the_servers_reason() {
    let Some((lab, session)) = lab_with_session().await else { return };
    let terminate = |pid| format!("SELECT pg_terminate_backend({pid})");

    let idle = lab.session(NodeName::primary()).await;
    session.batch(&terminate(idle.backend_pid())).await.unwrap();
    until("the idle session is closed", async || idle.is_closed()).await;
    let error = idle.batch("SELECT 1").await.unwrap_err();
    assert!(matches!(error, PgError::ConnectionLost(_)), "{error:?}");
    assert_eq!(error.sqlstate(), Some("57P01"));

    let active = lab.session(NodeName::primary()).await;
    let pid = active.backend_pid();
    let ended = async {
        let sleeping =
            format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND query LIKE '%pg_sleep%'");
        until("it sleeps", async || !session.simple_query_rows(&sleeping).await.unwrap().is_empty()).await;
        session.batch(&terminate(pid)).await.unwrap();
    };
    let (error, ()) = tokio::join!(active.batch("SELECT pg_sleep(600)"), ended);
    let error = error.unwrap_err();
    assert!(matches!(error, PgError::ConnectionLost(_)), "{error:?}");
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert_eq!(certainty(Stage::CommitSent, &error), Certainty::Info);
    lab.down().await;
}

#[tokio::test]
async fn an_error_of_a_statement_leaves_the_session_usable() {
    let Some((lab, session)) = lab_with_session().await else { return };
    let other = lab.session(NodeName::primary()).await;
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO t VALUES (1); COMMIT").await.unwrap();
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t").await.unwrap();
    other.batch("UPDATE t SET id = 2").await.unwrap();
    let error = session.batch("UPDATE t SET id = 3").await.unwrap_err();
    assert!(
        matches!(&error, PgError::Sql { sqlstate, severity, .. } if sqlstate == "40001" && severity == "ERROR")
    );
    session.batch("ROLLBACK").await.unwrap();
    assert_eq!(count(&session).await, "1");
    let select = session.prepare("SELECT id FROM t WHERE id = $1").await.unwrap();
    assert!(session.query_opt(&select, &[&7]).await.unwrap().is_none());
    assert!(matches!(session.query_one(&select, &[&7]).await, Err(PgError::Mismatch(_))));
    assert!(matches!(session.query(&select, &[&"7"]).await, Err(PgError::Mismatch(_))));
    assert_eq!(session.query(&select, &[&2]).await.unwrap().len(), 1);
    session.close().await;
    lab.down().await;
}

#[tokio::test]
async fn what_cannot_be_connected_to_says_why() {
    let Some((lab, session)) = lab_with_session().await else { return };
    let conninfo = lab.conninfo(NodeName::primary());
    let connect =
        async |conninfo: &Conninfo| Session::connect(conninfo, "test", DEADLINES).await.unwrap_err();

    let wrong = conninfo.clone().with_password(Secret::new("hunter2"));
    let error = connect(&wrong).await;
    assert_eq!(error.sqlstate(), Some("28P01"));
    assert!(!format!("{error} {error:?}").contains("hunter2"));

    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let silent = conninfo.clone().with_port(nobody.local_addr().unwrap().port());
    let deadlines = Deadlines { connect: Duration::from_millis(50), ..DEADLINES };
    let error = Session::connect(&silent, "test", deadlines).await.unwrap_err();
    assert!(matches!(&error, PgError::CannotConnect(lost) if lost.message == "no answer within 50 ms"));
    drop(nobody);
    assert!(matches!(connect(&silent).await, PgError::CannotConnect(_)));
    let socket =
        Conninfo::new(Host::Unix(lab.cluster.state().socket), conninfo.port(), "postgres", "postgres");
    Session::connect(&socket, "test", DEADLINES).await.expect("the private socket knows who we are");

    // A server that is shutting down waits for its sessions and takes no new ones.
    let postmaster = lab.cluster.state().nodes[0].process.clone().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(postmaster.pid), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let mut refused = None;
    until("it shuts down", async || {
        refused = Session::connect(&conninfo, "test", DEADLINES).await.err();
        refused.is_some()
    })
    .await;
    let refused = refused.unwrap();
    assert!(matches!(refused, PgError::CannotConnect(_)));
    assert_eq!(refused.sqlstate(), Some("57P03"), "{refused}");
    session.close().await;
    lab.down().await;
}

#[tokio::test]
async fn probes_tell_what_the_primary_knows_of_its_replicas() {
    let Some(lab) = Lab::up(1).await else { return };
    let (primary, replica) = (NodeName::primary(), NodeName::replica(1));
    let session = lab.session(primary).await;
    let settings = probe::settings(&session, &["fsync", "full_page_writes", "no.such"]).await.unwrap();
    let settings: Vec<_> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(settings, [("fsync", "on"), ("full_page_writes", "on")]);
    assert!(probe::server_version_num(&session).await.unwrap() >= 140_000);
    assert!(!probe::is_in_recovery(&session).await.unwrap());

    session.batch("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    let reader = lab.session(replica).await;
    assert!(probe::is_in_recovery(&reader).await.unwrap());
    assert_eq!(probe::insert_lsn(&reader).await.unwrap_err().sqlstate(), Some("55000"));
    let written = probe::insert_lsn(&session).await.unwrap();
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;

    // Idle: no lag at all, whatever the position is; also at the start of a segment, whose header is 40 bytes.
    let clock = Clock::start();
    let lag = LagProbe::prepare(&session).await.unwrap();
    session.batch("SELECT pg_switch_wal()").await.unwrap();
    let absent = NodeName::new("replica-9");
    until("an idle replica is not behind", async || {
        let samples = lag.sample(&session, &clock, &[replica, absent]).await.unwrap();
        assert_eq!(samples.iter().map(|sample| sample.node).collect::<Vec<_>>(), [replica, absent]);
        assert_eq!((samples[1].state, samples[1].replayed), (LinkState::Disconnected, None));
        assert!(samples[1].insert.is_some());
        samples[0].state == LinkState::Streaming && samples[0].insert == samples[0].replayed
    })
    .await;

    lab.cluster.act(replica, replab::history::Action::Kill).await.unwrap();
    until("the primary misses it", async || {
        lag.sample(&session, &clock, &[replica]).await.unwrap()[0].state == LinkState::Disconnected
    })
    .await;
    lab.down().await;
}
