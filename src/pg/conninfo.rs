//! Where a server is and who asks: libpq's connection strings, read strictly.
//!
//! Source: PostgreSQL manual, "Connection Strings" (libpq). One host only; TLS is not spoken.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::Secret;

mod text;

use text::{encode, key_value_pairs, parse_port, parse_seconds, url_pairs};

/// How to reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Tcp(String),
    /// The directory that holds the socket `.s.PGSQL.<port>`.
    Unix(PathBuf),
}

/// Everything a client needs to connect. Its `Display` is a URL without the password and the sessions' settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conninfo {
    host: Host,
    port: u16,
    user: String,
    password: Option<Secret>,
    dbname: String,
    application_name: Option<String>,
    connect_timeout: Option<Duration>,
    settings: Vec<(&'static str, String)>,
}

/// Why a text is not a connection string. Never holds the text itself, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConninfoError {
    /// Neither `postgres://…` nor `key=value …`.
    #[error("expected postgres://user@host:port/dbname or key=value pairs")]
    Shape,
    /// A `%` without two hexadecimal digits behind it, or not UTF-8 when decoded.
    #[error("the {0} is not percent-encoded correctly")]
    Encoding(&'static str),
    /// A value with an opening quote only, or a trailing backslash.
    #[error("the value of `{0}` is not quoted correctly")]
    Quoting(String),
    /// Not 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// Several hosts.
    #[error("several hosts in one connection string are not supported: name each endpoint on its own")]
    SeveralHosts,
    /// A key that is not known.
    #[error("unknown parameter `{0}`")]
    UnknownKey(String),
    /// A key that is known, with a value that is not.
    #[error("`{key}` must be {expected}")]
    Value {
        /// Which.
        key: &'static str,
        /// What is accepted.
        expected: &'static str,
    },
}

impl Conninfo {
    /// A server reached with these and nothing else.
    pub fn new(host: Host, port: u16, user: &str, dbname: &str) -> Conninfo {
        Conninfo {
            host,
            port,
            user: user.to_owned(),
            password: None,
            dbname: dbname.to_owned(),
            application_name: None,
            connect_timeout: None,
            settings: Vec::new(),
        }
    }

    /// Reads a URL or key=value pairs. What is absent comes from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`,
    /// `PGDATABASE`, as with libpq; then `localhost`, 5432, the system's user, and a database named like the user.
    pub fn parse(text: &str) -> Result<Conninfo, ConninfoError> {
        Conninfo::parse_with(text, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// The same with another environment.
    pub fn parse_with(text: &str, env: impl Fn(&str) -> Option<String>) -> Result<Conninfo, ConninfoError> {
        let text = text.trim();
        let url = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let mut pairs = match url {
            Some(rest) => url_pairs(rest)?,
            None => key_value_pairs(text)?,
        };
        let mut take = |key: &str, variable: &str| {
            pairs.remove(key).filter(|value| !value.is_empty()).or_else(|| env(variable))
        };
        let host = take("host", "PGHOST").unwrap_or_else(|| "localhost".to_owned());
        let port = take("port", "PGPORT");
        let user = take("user", "PGUSER").or_else(|| env("USER")).unwrap_or_else(|| "postgres".to_owned());
        let password = take("password", "PGPASSWORD").map(Secret::new);
        let dbname = take("dbname", "PGDATABASE").unwrap_or_else(|| user.clone());
        let application_name = take("application_name", "PGAPPNAME");
        let connect_timeout = take("connect_timeout", "PGCONNECT_TIMEOUT");
        let sslmode = take("sslmode", "PGSSLMODE");
        if let Some(key) = pairs.into_keys().next() {
            return Err(ConninfoError::UnknownKey(key));
        }
        if sslmode.is_some_and(|mode| !matches!(&*mode, "disable" | "allow" | "prefer")) {
            return Err(ConninfoError::Value {
                key: "sslmode",
                expected: "`disable`, `allow` or `prefer`: this build does not speak TLS",
            });
        }
        Ok(Conninfo {
            host: Host::parse(&host)?,
            port: match port {
                Some(port) => parse_port(&port)?,
                None => 5432,
            },
            user,
            password,
            dbname,
            application_name,
            connect_timeout: connect_timeout.map(|seconds| parse_seconds(&seconds)).transpose()?.flatten(),
            settings: Vec::new(),
        })
    }

    /// Where the server listens.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The TCP port, or the number in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The role that connects.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Its password.
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// The database.
    pub fn dbname(&self) -> &str {
        &self.dbname
    }

    /// The application's name, where the connection string sets one.
    pub fn application_name(&self) -> Option<&str> {
        self.application_name.as_deref()
    }

    /// The same server, another database.
    pub fn with_dbname(mut self, dbname: &str) -> Conninfo {
        dbname.clone_into(&mut self.dbname);
        self
    }

    /// The same host, another port.
    pub fn with_port(mut self, port: u16) -> Conninfo {
        self.port = port;
        self
    }

    /// The same server, with a password.
    pub fn with_password(mut self, password: Secret) -> Conninfo {
        self.password = Some(password);
        self
    }

    /// The same server; every session asks for `value` of the setting `name`, and for no other, and is refused where it
    /// does not get it: a pooler in between may drop what it does not know.
    pub fn with_setting(mut self, name: &'static str, value: &str) -> Conninfo {
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
        self
    }

    /// What every session asks for.
    pub(super) fn settings(&self) -> &[(&'static str, String)] {
        &self.settings
    }

    /// libpq's variables for a child such as `psql`: the password is in them, and in no argument that others can see.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("PGHOST", self.host.to_string()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.dbname.clone()),
            ("PGSSLMODE", "disable".to_owned()),
        ];
        env.extend(self.password.as_ref().map(|password| ("PGPASSWORD", password.expose().to_owned())));
        env.extend(self.application_name.as_ref().map(|name| ("PGAPPNAME", name.clone())));
        env.extend(self.options().map(|options| ("PGOPTIONS", options)));
        env
    }

    /// The driver's form. The name that the connection string sets wins over `application_name`.
    pub(super) fn driver_config(&self, application_name: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        match &self.host {
            Host::Tcp(host) => config.host(host),
            Host::Unix(directory) => config.host_path(directory),
        };
        config.port(self.port).user(&self.user).dbname(&self.dbname);
        config.application_name(self.application_name.as_deref().unwrap_or(application_name));
        if let Some(password) = &self.password {
            config.password(password.expose());
        }
        if let Some(limit) = self.connect_timeout {
            config.connect_timeout(limit);
        }
        if let Some(options) = self.options() {
            config.options(&*options);
        }
        config
    }

    /// The settings as the server takes them from a client that connects.
    fn options(&self) -> Option<String> {
        let escape = |value: &str| value.replace('\\', "\\\\").replace(' ', "\\ ");
        let option = |(name, value): &(&str, String)| format!("-c {name}={}", escape(value));
        let options: Vec<String> = self.settings.iter().map(option).collect();
        (!options.is_empty()).then(|| options.join(" "))
    }
}

impl Host {
    fn parse(text: &str) -> Result<Host, ConninfoError> {
        if text.starts_with('/') {
            Ok(Host::Unix(Path::new(text).to_path_buf()))
        } else if text.contains(',') {
            Err(ConninfoError::SeveralHosts)
        } else {
            Ok(Host::Tcp(text.to_owned()))
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Tcp(host) => f.write_str(host),
            Host::Unix(directory) => write!(f, "{}", directory.display()),
        }
    }
}

impl FromStr for Conninfo {
    type Err = ConninfoError;

    fn from_str(text: &str) -> Result<Conninfo, ConninfoError> {
        Conninfo::parse(text)
    }
}

impl fmt::Display for Conninfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]"),
            Host::Tcp(host) => encode(host),
            Host::Unix(directory) => encode(&directory.display().to_string()),
        };
        write!(f, "postgres://{}@{host}:{}/{}", encode(&self.user), self.port, encode(&self.dbname))?;
        let name = self.application_name.as_ref().map(|name| format!("application_name={}", encode(name)));
        let limit = self.connect_timeout.map(|limit| format!("connect_timeout={}", limit.as_secs()));
        let parameters: Vec<String> = name.into_iter().chain(limit).collect();
        if parameters.is_empty() { Ok(()) } else { write!(f, "?{}", parameters.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Conninfo, ConninfoError> {
        Conninfo::parse_with(text, |_| None)
    }

    #[test]
    fn reads_urls() {
        let read =
            parse("postgres://us%40er:p%3Aw%2F@db.example:5433/shop?application_name=a%20b&sslmode=disable");
        let read = read.unwrap();
        assert_eq!(read.host(), &Host::Tcp("db.example".to_owned()));
        assert_eq!((read.port(), read.user(), read.dbname()), (5433, "us@er", "shop"));
        assert_eq!(read.password().unwrap().expose(), "p:w/");
        assert_eq!(read.application_name(), Some("a b"));
    }

    #[test]
    fn reads_what_is_left_out_as_libpq_does() {
        let read = parse("postgresql://").unwrap();
        assert_eq!((read.host(), read.port()), (&Host::Tcp("localhost".to_owned()), 5432));
        assert_eq!((read.user(), read.dbname(), read.password()), ("postgres", "postgres", None));
        let env = |name: &str| match name {
            "PGHOST" => Some("/run/pg".to_owned()),
            "PGUSER" => Some("ann".to_owned()),
            "PGPASSWORD" => Some("secret".to_owned()),
            _ => None,
        };
        let read = Conninfo::parse_with("port=6000", env).unwrap();
        assert_eq!(read.host(), &Host::Unix(PathBuf::from("/run/pg")));
        assert_eq!((read.port(), read.user(), read.dbname()), (6000, "ann", "ann"));
        assert_eq!(read.password().unwrap().expose(), "secret");
        // What is written wins over the environment.
        let read = Conninfo::parse_with("postgres://bob:own@h/d", env).unwrap();
        assert_eq!((read.user(), read.password().unwrap().expose()), ("bob", "own"));
    }

    #[test]
    fn reads_sockets_and_ipv6() {
        assert_eq!(parse("postgres://%2Frun%2Fpg/d").unwrap().host(), &Host::Unix(PathBuf::from("/run/pg")));
        assert_eq!(
            parse("postgres:///d?host=/run/pg").unwrap().host(),
            &Host::Unix(PathBuf::from("/run/pg"))
        );
        let v6 = parse("postgres://u@[::1]:5433/d").unwrap();
        assert_eq!((v6.host(), v6.port()), (&Host::Tcp("::1".to_owned()), 5433));
        assert_eq!(v6.to_string(), "postgres://u@[::1]:5433/d");
    }

    #[test]
    fn reads_key_value_pairs() {
        let read = parse(r"host = h port=7 user='a b' password='it\'s \\' dbname=d").unwrap();
        assert_eq!((read.port(), read.user(), read.dbname()), (7, "a b", "d"));
        assert_eq!(read.password().unwrap().expose(), r"it's \");
    }

    #[test]
    fn says_what_is_wrong_and_never_the_password() {
        let secret = "hunter2";
        for (text, error) in [
            ("hunter2", ConninfoError::Shape),
            ("postgres://u:hunter2@h:0/d", ConninfoError::Port),
            ("postgres://u:hunter2@h:99999/d", ConninfoError::Port),
            ("postgres://u:hunter2%zz@h/d", ConninfoError::Encoding("password")),
            ("postgres://u:hunter2%f@h/d", ConninfoError::Encoding("password")),
            ("postgres://u:hunter2@a,b/d", ConninfoError::SeveralHosts),
            ("host=a,b password=hunter2", ConninfoError::SeveralHosts),
            ("password='hunter2", ConninfoError::Quoting("password".to_owned())),
            ("passwort=hunter2", ConninfoError::UnknownKey("passwort".to_owned())),
            ("postgres://u:hunter2@::1/d", ConninfoError::Shape),
            ("postgres://u:hunter2@[::1]5433/d", ConninfoError::Shape),
            ("postgres://u:hunter2@h/d?sslmod=x", ConninfoError::UnknownKey("sslmod".to_owned())),
        ] {
            let found = parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!format!("{found} {found:?}").contains(secret), "{text}");
        }
        assert!(matches!(
            parse("postgres://u:hunter2@h/d?sslmode=verify-full"),
            Err(ConninfoError::Value { key: "sslmode", .. })
        ));
    }

    #[test]
    fn prints_everything_but_the_password() {
        let read =
            parse("postgres://us%40er:hunter2@h:1/d%20b?application_name=x&connect_timeout=3").unwrap();
        assert_eq!(read.to_string(), "postgres://us%40er@h:1/d%20b?application_name=x&connect_timeout=3");
        assert!(!format!("{read:?}").contains("hunter2"));
        assert_eq!(parse(&read.to_string()).unwrap().dbname(), "d b");
        assert!(read.env().contains(&("PGPASSWORD", "hunter2".to_owned())));
        let set = read.with_setting("search_path", "a b");
        assert!(set.env().contains(&("PGOPTIONS", r"-c search_path=a\ b".to_owned())), "{:?}", set.env());
    }
}
