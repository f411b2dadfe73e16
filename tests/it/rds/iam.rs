//! Tokens at the endpoints: each is good for one user, at one endpoint, for a while.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use replab::pg::{Conninfo, Host, PgError, Roots, Secret, Session, Tls, Verify};

use super::endpoints::encrypted;
use super::serving::{DEADLINES, Serving};
use super::signed::Token;
use crate::lab::waiting;

/// A door, and a user who comes to it.
struct Visitor<'a> {
    serving: &'a Serving,
    address: String,
    user: &'static str,
}

impl<'a> Visitor<'a> {
    fn at(&self, address: &str) -> Visitor<'a> {
        Visitor { serving: self.serving, address: address.to_owned(), user: self.user }
    }

    fn host(&self) -> String {
        format!("{}:{}", self.address, self.serving.facts["port"])
    }

    /// As the API's keys would have it.
    fn token(&self) -> Token {
        Token::new(self.host(), self.user)
    }

    fn conninfo(&self, password: &str) -> Conninfo {
        let port = u16::try_from(self.serving.facts["port"].as_u64().unwrap()).unwrap();
        let conninfo = Conninfo::new(Host::Tcp(self.address.clone()), port, self.user, "postgres");
        conninfo.with_password(Secret::new(password))
    }

    /// Who a session is, where and for whom it was opened.
    fn comes_with(&self, password: &str) -> Result<Vec<Option<String>>, PgError> {
        let roots = Roots::File(PathBuf::from(self.serving.facts["ca"].as_str().unwrap()));
        ask(&self.conninfo(password).with_tls(Tls::new(Verify::ChainAndName, roots)))
    }

    /// The same with TLS, where it has to be refused; the control plane has to say `why`, and nothing of the token.
    #[track_caller]
    fn is_refused(&self, password: &str, why: &str) {
        let said_before = self.serving.said().len();
        let refused = self.comes_with(password).unwrap_err();
        let expected = format!("PAM authentication failed for user \"{}\"", self.user);
        assert_eq!(refused.sqlstate(), Some("28000"), "{why}: {refused}");
        assert!(refused.to_string().contains(&expected), "{why}: {refused}");
        let line = format!("the token of user \"{}\" is refused: {why}", self.user);
        crate::lab::until(&line, || self.serving.said()[said_before..].contains(&line));
        let said = self.serving.said();
        assert!(!said.contains("X-Amz-") && !said.contains("hunter2"), "{said}");
    }
}

fn ask(conninfo: &Conninfo) -> Result<Vec<Option<String>>, PgError> {
    waiting(async {
        let session = Session::connect(conninfo, "test", DEADLINES).await?;
        let sql = "SELECT current_user, aurora_db_instance_identifier(), inet_client_addr()";
        let rows = session.simple_query_rows(sql).await?;
        session.close().await;
        Ok(rows[0].clone())
    })
}

#[test]
fn each_token_is_good_for_one_user_at_one_endpoint_for_a_while() {
    let Some(serving) = Serving::start(&["--readers", "0", "--domain", "lab.test"]) else { return };
    let users =
        "CREATE USER replab; CREATE USER other; GRANT rds_iam TO replab, other; CREATE USER \"no member\"";
    serving.ask("writer", users).unwrap();
    let writer = Visitor { serving: &serving, address: serving.address("writer"), user: "replab" };
    let reader = writer.at(&serving.address("reader"));
    let instance = writer.at(serving.facts["instances"][0]["address"].as_str().unwrap());
    let port = &serving.facts["port"];

    let good = writer.token().text();
    // By the private socket, which has no addresses; as often as one likes.
    let expected = [Some("replab".to_owned()), Some("part-4-instance-1".to_owned()), None];
    for _ in 0..2 {
        assert_eq!(writer.comes_with(&good).unwrap(), expected);
    }
    for visitor in [&reader, &instance] {
        assert_eq!(visitor.comes_with(&visitor.token().text()).unwrap(), expected);
    }
    for name in ["part-4.cluster.lab.test", "Part-4.Cluster.LAB.test"] {
        let named = Token { host: format!("{name}:{port}"), ..writer.token() };
        assert_eq!(writer.comes_with(&named.text()).unwrap(), expected, "{name}");
    }

    writer.is_refused(&Token { user: "other".to_owned(), ..writer.token() }.text(), "it is for another user");
    let changed = good.replace("DBUser=replab", "DBUser=other");
    Visitor { user: "other", ..writer.at(&writer.address) }.is_refused(&changed, "its signature is wrong");
    let endpoint = "it is for another host or port than this endpoint's";
    writer.is_refused(&instance.token().text(), endpoint);
    writer.is_refused(&reader.token().text(), endpoint);
    instance.is_refused(&good, endpoint);
    let named = |name: &str| Token { host: format!("{name}:{port}"), ..writer.token() }.text();
    writer.is_refused(&named("part-4-instance-1.lab.test"), endpoint);
    writer.is_refused(&Token { host: format!("{}:1", writer.address), ..writer.token() }.text(), endpoint);
    let region = Token { region: "eu-west-1", ..writer.token() };
    writer.is_refused(&region.text(), "it is signed for another region");
    let service = Token { service: "rds", ..writer.token() };
    writer.is_refused(&service.text(), "it is signed for another service than rds-db");
    let key = Token { key: "AKIDOTHER", ..writer.token() };
    writer.is_refused(&key.text(), "it is signed with other keys than the API's");
    let secret = Token { secret: "another", ..writer.token() };
    writer.is_refused(&secret.text(), "its signature is wrong");
    let old = Token { signed_at: Utc::now() - TimeDelta::hours(2), ..writer.token() };
    writer.is_refused(&old.text(), "it has expired");
    let early = Token { signed_at: Utc::now() + TimeDelta::minutes(20), ..writer.token() };
    writer.is_refused(&early.text(), "it is signed in the future");
    let long = Token { good_for: 3_600, ..writer.token() };
    writer.is_refused(&long.text(), "it is good for longer than 15 minutes");
    writer.is_refused("hunter2", "it is not a token");

    of_a_later_protocol(&serving, &good);
    without_tls(&writer, &good);
    past_the_door(&serving, &writer, &good);
    // To whom tokens mean nothing, a token is a password, and a wrong one.
    let stranger = Visitor { user: "no member", ..writer.at(&writer.address) };
    let token = Token { user: "no%20member".to_owned(), ..writer.token() };
    let refused = stranger.comes_with(&token.text()).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("28P01"), "{refused}");
    // With the role the login goes, too.
    serving.ask("writer", "REVOKE rds_iam FROM replab").unwrap();
    let refused = writer.comes_with(&writer.token().text()).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("28P01"), "{refused}");
    serving.end();
}

/// A client of a later protocol is told once, before it is asked who it is, that this server is older.
fn of_a_later_protocol(serving: &Serving, good: &str) {
    let mut stream = encrypted(serving, "writer", Some("ca")).unwrap();
    let startup = b"\0\0\0\x27\0\x03\x27\x0fuser\0replab\0database\0postgres\0\0";
    stream.write_all(startup).unwrap();
    let mut next = || {
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        stream.read_exact(&mut body).unwrap();
        let done = (char::from(head[0]), body);
        if done == ('R', vec![0, 0, 0, 3]) {
            let length = u32::try_from(good.len() + 5).unwrap().to_be_bytes();
            let password = [b"p".as_slice(), &length, good.as_bytes(), &[0]].concat();
            stream.write_all(&password).unwrap();
        }
        done
    };
    assert_eq!(next().0, 'v');
    assert_eq!(next(), ('R', vec![0, 0, 0, 3]));
    assert_eq!(next(), ('R', vec![0, 0, 0, 0]));
    // Settings, the key, and then it is ready: nothing of versions again.
    let rest: Vec<char> = std::iter::from_fn(|| Some(next().0)).take_while(|kind| *kind != 'Z').collect();
    assert!(rest.contains(&'K') && rest.iter().all(|kind| "SK".contains(*kind)), "{rest:?}");
}

/// A token is not taken in clear; whoever has a password is, as before.
fn without_tls(writer: &Visitor<'_>, good: &str) {
    let refused = ask(&writer.conninfo(good)).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("28000"), "{refused}");
    let expected = "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"replab\", database \"postgres\", no encryption";
    assert!(refused.to_string().contains(expected), "{refused}");
    assert_eq!(writer.serving.value("writer", "SELECT current_user"), "postgres");
}

/// The server itself takes no token over TCP, and its socket is where nobody else comes.
fn past_the_door(serving: &Serving, writer: &Visitor<'_>, good: &str) {
    let servers: Vec<String> = serving.lab.processes().into_iter().map(|(_, line)| line).collect();
    let option = |name: &str| {
        let found = servers.iter().find_map(|line| line.split(name).nth(1)?.split(' ').next());
        found.unwrap_or_else(|| panic!("{name}: {servers:?}")).to_owned()
    };
    let port = option("-c port=").parse().unwrap();
    let direct = writer.conninfo(good).with_host(Host::Tcp("127.0.0.1".to_owned())).with_port(port);
    let refused = ask(&direct).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("28P01"), "{refused}");
    let directory = option("unix_socket_directories=");
    let mode = fs::metadata(&directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{directory}");
}
