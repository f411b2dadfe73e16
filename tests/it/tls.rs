//! Sessions over TLS, with servers that are who they say, and with others; and passwords that are made for each connection.
//!
//! Not every PostgreSQL is built with OpenSSL, so what ends TLS is this test itself, in front of a server that speaks none:
//! as a load balancer would. One test has a server that does it by itself.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use replab::history::NodeName;
use replab::pg::{Conninfo, Deadlines, Host, Mint, PgError, Roots, Secret, Session, Tls, Verify};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::lab::{Done, Lab as Folder, is_own_server};
use crate::support::{DEADLINES, Lab, until};

/// Who signs certificates, and the file that says who that is.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate with its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Authority {
        Authority::named("one")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for `names`.
    fn sign(&self, names: &[&str]) -> Identity {
        self.sign_with(names, |_| {})
    }

    fn sign_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Identity { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }

    fn tls(&self, verify: Verify) -> Tls {
        Tls::new(verify, Roots::File(self.file()))
    }
}

/// Ends TLS in front of a server. Whoever does not ask for TLS is hung up on.
struct Front {
    port: u16,
    task: JoinHandle<()>,
}

impl Front {
    async fn before(server: u16, identity: &Identity) -> Front {
        let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                open.spawn(forward(client, acceptor.clone(), server));
                while open.try_join_next().is_some() {}
            }
        });
        Front { port, task }
    }

    fn reach(&self, conninfo: &Conninfo, host: &str, tls: Tls) -> Conninfo {
        conninfo.clone().with_host(Host::Tcp(host.to_owned())).with_port(self.port).with_tls(tls)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(mut client: TcpStream, acceptor: TlsAcceptor, server: u16) -> std::io::Result<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    if request != [0, 0, 0, 8, 4, 210, 22, 47] {
        return Ok(());
    }
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

async fn connect(conninfo: &Conninfo) -> Result<Session, PgError> {
    Session::connect(conninfo, "test", DEADLINES).await
}

/// Why there is no connection; without any secret.
async fn refused(conninfo: &Conninfo) -> String {
    let error = connect(conninfo).await.unwrap_err();
    let text = error.to_string();
    let password = conninfo.password().unwrap().expose();
    assert!(!format!("{text} {error:?} {conninfo:?}").contains(password), "{text}");
    assert!(!text.contains('\n'), "{text}");
    match error {
        PgError::CannotConnect(lost) => lost.message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_verified_before_anything_is_said_to_it() {
    let Some(lab) = Lab::up(0).await else { return };
    let server = lab.conninfo(NodeName::primary());
    let authority = Authority::new();
    let front = Front::before(server.port(), &authority.sign(&["localhost"])).await;
    let file = authority.file().display().to_string();

    let (full, chain) = (Verify::ChainAndName, Verify::Chain);
    let session = connect(&front.reach(&server, "localhost", authority.tls(full))).await.unwrap();
    assert_eq!(session.peer(), Some(SocketAddr::from(([127, 0, 0, 1], front.port))));
    let long = "SELECT repeat('x', 1000000), n FROM generate_series(1, 3) AS n";
    let rows = session.simple_query_rows(long).await.unwrap();
    assert_eq!(rows.iter().map(|row| row[0].as_ref().unwrap().len()).collect::<Vec<_>>(), [1_000_000; 3]);
    session.close().await;

    // The same server by another name.
    let error = refused(&front.reach(&server, "127.0.0.1", authority.tls(full))).await;
    assert!(
        error.starts_with("the server's certificate is refused: ") && error.contains("not valid for name"),
        "{error}"
    );
    connect(&front.reach(&server, "127.0.0.1", authority.tls(chain))).await.unwrap().close().await;

    // Somebody else's servers; one of them says that the same authority has signed for it.
    for stranger in [Authority::named("other"), Authority::new()] {
        let other = Front::before(server.port(), &stranger.sign(&["localhost"])).await;
        for verify in [full, chain] {
            let error = refused(&other.reach(&server, "localhost", authority.tls(verify))).await;
            assert_eq!(error, format!("the server's certificate is not signed by any of sslrootcert={file}"));
        }
    }
    let old = authority.sign_with(&["localhost"], |params| {
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    });
    let old = Front::before(server.port(), &old).await;
    for verify in [full, chain] {
        let error = refused(&old.reach(&server, "localhost", authority.tls(verify))).await;
        assert!(error.starts_with("the server's certificate is refused: certificate expired"), "{error}");
    }

    // A server that speaks no TLS, one that speaks nothing, and roots that are not there.
    let text = format!("host=127.0.0.1 sslmode=require sslrootcert='{file}'");
    let tls = Conninfo::parse_with(&text, |_| None).unwrap().tls().unwrap().clone();
    let error = refused(&server.clone().with_tls(tls.clone())).await;
    assert_eq!(error, "the server does not speak TLS, and sslmode=verify-ca demands it");
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let silent = server.clone().with_port(nobody.local_addr().unwrap().port()).with_tls(tls);
    let deadlines = Deadlines { connect: Duration::from_millis(50), ..DEADLINES };
    let error = Session::connect(&silent, "test", deadlines).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect: no answer within 50 ms");
    let nowhere = Tls::new(full, Roots::File(authority.folder.path().join("none.pem")));
    let error = refused(&front.reach(&server, "localhost", nowhere)).await;
    assert!(error.ends_with("none.pem: No such file or directory (os error 2)"), "{error}");

    // And to the front, whoever speaks no TLS is nobody.
    connect(&server.clone().with_port(front.port)).await.unwrap_err();
    lab.down().await;
}

#[tokio::test]
async fn a_session_over_tls_is_lost_as_any_other() {
    let Some(lab) = Lab::up(0).await else { return };
    let server = lab.conninfo(NodeName::primary());
    let authority = Authority::new();
    let front = Front::before(server.port(), &authority.sign(&["localhost"])).await;
    let reach = front.reach(&server, "localhost", authority.tls(Verify::ChainAndName));
    let (session, idle) = (connect(&reach).await.unwrap(), connect(&reach).await.unwrap());
    session.batch(&format!("SELECT pg_terminate_backend({})", idle.backend_pid())).await.unwrap();
    until("the idle session is closed", async || idle.is_closed()).await;
    let error = idle.batch("SELECT 1").await.unwrap_err();
    assert!(matches!(error, PgError::ConnectionLost(_)), "{error:?}");
    assert_eq!(error.sqlstate(), Some("57P01"));

    drop(front);
    until("the front is gone", async || session.is_closed()).await;
    let error = session.batch("SELECT 1").await.unwrap_err();
    assert!(matches!(error, PgError::ConnectionLost(_)), "{error:?}");
    lab.down().await;
}

#[tokio::test]
async fn a_server_that_speaks_tls_by_itself_is_spoken_to() {
    let Some(lab) = Lab::up(0).await else { return };
    let server = lab.conninfo(NodeName::primary());
    let plain = lab.session(NodeName::primary()).await;
    assert_eq!(plain.peer(), Some(SocketAddr::from(([127, 0, 0, 1], server.port()))));
    let socket = Conninfo::new(Host::Unix(lab.cluster.state().socket), server.port(), "postgres", "postgres");
    let authority = Authority::new();
    // TLS is for the network.
    let local = connect(&socket.with_tls(authority.tls(Verify::ChainAndName))).await.unwrap();
    assert_eq!(local.peer(), None);
    local.close().await;

    let data = plain.simple_query_rows("SHOW data_directory").await.unwrap()[0][0].clone().unwrap();
    let identity = authority.sign(&["127.0.0.1"]);
    let owner = fs::metadata(&data).unwrap();
    for (name, text) in
        [("server.crt", identity.certificate.pem()), ("server.key", identity.key.serialize_pem())]
    {
        let path = Path::new(&data).join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    if let Err(error) = plain.batch("ALTER SYSTEM SET ssl = on").await {
        assert!(error.to_string().contains("SSL is not supported by this build"), "{error}");
        println!("skipped: this PostgreSQL is built without TLS");
        return lab.down().await;
    }
    let reach = server.clone().with_tls(authority.tls(Verify::ChainAndName));
    for (version, setting) in [("TLSv1.3", ""), ("TLSv1.2", "TLSv1.2")] {
        let limit = format!("ALTER SYSTEM SET ssl_max_protocol_version = '{setting}'");
        plain.batch(&limit).await.unwrap();
        plain.batch("SELECT pg_reload_conf()").await.unwrap();
        // How the server says that it is encrypted; the login is by SCRAM.
        let sql = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
        until(version, async || {
            let Ok(session) = connect(&reach).await else { return false };
            let rows = session.simple_query_rows(sql).await.unwrap();
            session.close().await;
            rows == [[Some(version.to_owned())]]
        })
        .await;
    }
    let psql = lab.cluster.state().binaries.join("psql");
    if is_own_server() && psql.exists() {
        let mut command = Command::new(psql);
        command.envs(reach.env()).args(["-XAtc", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"]);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "t\n",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    lab.down().await;
}

/// Gives what it is told to, and counts how often.
#[derive(Debug, Default)]
struct Wallet {
    next: Mutex<Option<Result<String, String>>>,
    asked: Mutex<Vec<String>>,
}

impl Mint for Wallet {
    fn mint<'a>(&'a self, host: &'a str, port: u16, user: &'a str) -> BoxFuture<'a, Result<Secret, String>> {
        self.asked.lock().unwrap().push(format!("{user}@{host}:{port}"));
        match self.next.lock().unwrap().clone() {
            Some(password) => std::future::ready(password.map(Secret::new)).boxed(),
            None => std::future::pending().boxed(),
        }
    }
}

#[tokio::test]
async fn a_minted_password_is_asked_for_by_every_attempt() {
    let Some(lab) = Lab::up(0).await else { return };
    let server = lab.conninfo(NodeName::primary());
    let wallet = Arc::new(Wallet::default());
    let minted = server.clone().with_minted_password(wallet.clone());
    let give = |password: Result<&str, &str>| {
        *wallet.next.lock().unwrap() = Some(password.map(str::to_owned).map_err(str::to_owned));
    };
    assert_eq!((minted.password(), minted.has_password()), (None, true));

    // Not there in time.
    let deadlines = Deadlines { connect: Duration::from_millis(50), ..DEADLINES };
    let error = Session::connect(&minted, "test", deadlines).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect: no answer within 50 ms");
    give(Err("no credentials for this region"));
    let error = connect(&minted).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect: no credentials for this region");
    give(Ok("hunter2"));
    let error = connect(&minted).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("28P01"));
    assert!(!format!("{error} {error:?} {minted} {minted:?} {:?}", minted.env()).contains("hunter2"));
    give(Ok(server.password().unwrap().expose()));
    connect(&minted).await.unwrap().close().await;
    connect(&minted).await.unwrap().close().await;
    let asked = wallet.asked.lock().unwrap().clone();
    assert_eq!(asked, vec![format!("postgres@127.0.0.1:{}", server.port()); 5]);
    lab.down().await;
}

/// The program in `folder`, to its end; the fronts are served meanwhile.
async fn replab(folder: &Folder, args: &[&str], envs: &[(&str, &str)]) -> Done {
    let mut command = folder.replab(args);
    command.envs(envs.iter().copied());
    let output: Output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    output.into()
}

#[tokio::test]
async fn a_run_speaks_tls_with_every_node() {
    let Some(servers) = Lab::up(1).await else { return };
    let (writer, reader) = (servers.conninfo(NodeName::primary()), servers.conninfo(NodeName::replica(1)));
    let authority = Authority::new();
    let identity = authority.sign(&["localhost"]);
    let fronts =
        [Front::before(writer.port(), &identity).await, Front::before(reader.port(), &identity).await];
    let folder = Folder::new();
    let password = ("PGPASSWORD", writer.password().unwrap().expose());
    let urls = |query: &str| {
        fronts.each_ref().map(|front| format!("postgres://postgres@localhost:{}/postgres{query}", front.port))
    };
    let run = async |query: &str, envs: &[(&str, &str)]| {
        let [writer, reader] = urls(query);
        let args = ["run", "--writer", &writer, "--reader", &reader, "--duration", "2s", "--clients", "2"];
        replab(&folder, &args, &[&[password], envs].concat()).await
    };
    let ca = authority.file().display().to_string();
    run(&format!("?sslmode=verify-full&sslrootcert={ca}"), &[]).await.exits(0);
    let plan = folder.latest("plan.toml").canonicalize().unwrap();
    let text = fs::read_to_string(&plan).unwrap();
    let encoded = ca.replace('/', "%2F");
    assert_eq!(text.matches(&format!("?sslmode=verify-full&sslrootcert={encoded}\"")).count(), 2, "{text}");
    replab(&folder, &["run", "--config", plan.to_str().unwrap()], &[password]).await.exits(0);

    // From the environment; and by the roots of this machine, which are those of a file that the environment names.
    run("", &[("PGSSLMODE", "verify-ca"), ("PGSSLROOTCERT", &ca)]).await.exits(0);
    run("?sslmode=verify-full", &[("SSL_CERT_FILE", &ca)]).await.exits(0);

    let absent = run("?sslmode=verify-full&sslrootcert=ca.pem", &[]).await.exits(11);
    absent.explains(&["primary cannot be reached", "ca.pem: No such file"]);
    let stranger = Authority::new();
    let query = format!("?sslmode=verify-full&sslrootcert={}", stranger.file().display());
    let untrusted = run(&query, &[]).await.exits(11);
    untrusted.explains(&["primary cannot be reached", "not signed by any of sslrootcert="]);
    let unverified = run("?sslmode=require", &[]).await.exits(2);
    unverified.explains(&["--writer", "sslmode=require needs sslrootcert=FILE"]);
    run("", &[]).await.exits(11).explains(&["primary cannot be reached"]);
    servers.down().await;
}
