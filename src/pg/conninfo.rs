//! Where a server is and who asks: libpq's connection strings, read strictly.
//!
//! Source: PostgreSQL manual, "Connection Strings" and "SSL Support" (libpq). One host only.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::{Mint, Password, Secret, Tls};

mod encryption;
#[cfg(test)]
mod tests;
mod text;

use encryption::Encryption;
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
    password: Password,
    encryption: Encryption,
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
    /// Encryption without verification.
    #[error(
        "sslmode={0} needs sslrootcert=FILE, the PEM certificates of who signs the server's: replab speaks TLS only with \
         a server that it can verify (sslmode=verify-full alone takes this machine's roots)"
    )]
    Unverified(&'static str),
    /// Public roots sign for whoever asks, so that without the name they verify nothing.
    #[error("sslrootcert=system needs sslmode=verify-full")]
    SystemRoots,
    /// Roots that nobody would look at.
    #[error(
        "sslrootcert needs sslmode=verify-full, verify-ca or require; with the other modes no TLS is spoken"
    )]
    UnusedRoots,
}

impl Conninfo {
    /// A server reached with these and nothing else.
    pub fn new(host: Host, port: u16, user: &str, dbname: &str) -> Conninfo {
        Conninfo {
            host,
            port,
            user: user.to_owned(),
            password: Password::None,
            encryption: Encryption::Unsaid,
            dbname: dbname.to_owned(),
            application_name: None,
            connect_timeout: None,
            settings: Vec::new(),
        }
    }

    /// Reads a URL or key=value pairs. What is absent comes from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`,
    /// `PGDATABASE`, `PGSSLMODE`, `PGSSLROOTCERT`, as with libpq; then `localhost`, 5432, the system's user, and a database
    /// named like the user.
    ///
    /// TLS is spoken with `sslmode=require`, `verify-ca` and `verify-full`, and with no other: `allow` and `prefer` give
    /// no protection, and mean `disable` here. No mode encrypts without verification, as libpq does: `require` is
    /// `verify-ca`, and both need `sslrootcert`, a file of PEM certificates. `verify-full` without it takes the roots of
    /// this machine, which is `sslrootcert=system`; `~/.postgresql/root.crt` is not looked for.
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
        let has_roots = pairs.get("sslrootcert").is_some_and(|value| !value.is_empty());
        let mut take = |key: &str, variable: &str| {
            pairs.remove(key).filter(|value| !value.is_empty()).or_else(|| env(variable))
        };
        let host = take("host", "PGHOST").unwrap_or_else(|| "localhost".to_owned());
        let port = take("port", "PGPORT");
        let user = take("user", "PGUSER").or_else(|| env("USER")).unwrap_or_else(|| "postgres".to_owned());
        let password = take("password", "PGPASSWORD").map(|text| Password::Fixed(Secret::new(text)));
        let dbname = take("dbname", "PGDATABASE").unwrap_or_else(|| user.clone());
        let application_name = take("application_name", "PGAPPNAME");
        let connect_timeout = take("connect_timeout", "PGCONNECT_TIMEOUT");
        let sslmode = take("sslmode", "PGSSLMODE");
        let sslrootcert = take("sslrootcert", "PGSSLROOTCERT");
        if let Some(key) = pairs.into_keys().next() {
            return Err(ConninfoError::UnknownKey(key));
        }
        let encryption = Encryption::parse(sslmode.as_deref(), sslrootcert.as_deref(), has_roots)?;
        Ok(Conninfo {
            host: Host::parse(&host)?,
            port: match port {
                Some(port) => parse_port(&port)?,
                None => 5432,
            },
            user,
            password: password.unwrap_or_default(),
            encryption,
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

    /// Its password, where that is a fixed one.
    pub fn password(&self) -> Option<&Secret> {
        match &self.password {
            Password::Fixed(password) => Some(password),
            Password::None | Password::Minted(_) => None,
        }
    }

    /// Whether there is a password, fixed or minted.
    pub fn has_password(&self) -> bool {
        self.password != Password::None
    }

    /// How sessions over TCP encrypt, where they do. A socket of this machine is never encrypted.
    pub fn tls(&self) -> Option<&Tls> {
        match &self.encryption {
            Encryption::On(tls) => Some(tls),
            Encryption::Unsaid | Encryption::Off => None,
        }
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

    /// The same port, user, password and TLS on another host; a minted password and a certificate are then for that one.
    pub fn with_host(mut self, host: Host) -> Conninfo {
        self.host = host;
        self
    }

    /// The same host, another port.
    pub fn with_port(mut self, port: u16) -> Conninfo {
        self.port = port;
        self
    }

    /// The same server, with a password.
    pub fn with_password(mut self, password: Secret) -> Conninfo {
        self.password = Password::Fixed(password);
        self
    }

    /// The same server, with a password that `mint` makes for each connection.
    pub fn with_minted_password(mut self, mint: Arc<dyn Mint>) -> Conninfo {
        self.password = Password::Minted(mint);
        self
    }

    /// The same server, with TLS.
    pub fn with_tls(mut self, tls: Tls) -> Conninfo {
        self.encryption = Encryption::On(tls);
        self
    }

    /// The same server; every session asks for `value` of the setting `name`, and for no other, and is refused where it
    /// does not get it: a pooler in between may drop what it does not know.
    pub fn with_setting(mut self, name: &'static str, value: &str) -> Conninfo {
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
        self
    }

    /// The password of one attempt to connect; a minted one is made anew.
    pub(super) async fn mint_password(&self) -> Result<Option<Secret>, String> {
        match &self.password {
            Password::None => Ok(None),
            Password::Fixed(password) => Ok(Some(password.clone())),
            Password::Minted(mint) => {
                mint.mint(&self.host.to_string(), self.port, &self.user).await.map(Some)
            }
        }
    }

    /// How long one address may take to answer, where the connection string limits that.
    pub(super) fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }

    /// What every session asks for.
    pub(super) fn settings(&self) -> &[(&'static str, String)] {
        &self.settings
    }

    /// libpq's variables for a child such as `psql`: the password is in them, and in no argument that others can see. A
    /// minted password is not: it would be old before it is used.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("PGHOST", self.host.to_string()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.dbname.clone()),
        ];
        match self.tls() {
            None => env.push(("PGSSLMODE", "disable".to_owned())),
            Some(tls) => env.extend([
                ("PGSSLMODE", tls.verify().to_string()),
                ("PGSSLROOTCERT", tls.roots().to_string()),
            ]),
        }
        env.extend(self.password().map(|password| ("PGPASSWORD", password.expose().to_owned())));
        env.extend(self.application_name.as_ref().map(|name| ("PGAPPNAME", name.clone())));
        env.extend(self.options().map(|options| ("PGOPTIONS", options)));
        env
    }

    /// The driver's form, for a stream that is there already. The name that the connection string sets wins over
    /// `application_name`.
    pub(super) fn driver_config(
        &self,
        application_name: &str,
        password: Option<&Secret>,
    ) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.user(&self.user).dbname(&self.dbname);
        // TLS, where there is any, lies below what the driver sees.
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        config.application_name(self.application_name.as_deref().unwrap_or(application_name));
        if let Some(password) = password {
            config.password(password.expose());
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
        let name = self.application_name.as_ref().map(|name| ("application_name", name.clone()));
        let limit = self.connect_timeout.map(|limit| ("connect_timeout", limit.as_secs().to_string()));
        let parameters = name.into_iter().chain(limit).chain(self.encryption.parameters());
        let parameters: Vec<String> =
            parameters.map(|(key, value)| format!("{key}={}", encode(&value))).collect();
        if parameters.is_empty() { Ok(()) } else { write!(f, "?{}", parameters.join("&")) }
    }
}
