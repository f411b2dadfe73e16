//! libpq's password file (manual, "The Password File").

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Conninfo, Host, Secret};

/// Where a socket counts as `localhost`: libpq's built-in folders.
const DEFAULT_SOCKETS: [&str; 2] = ["/tmp", "/var/run/postgresql"];

/// The lines of a password file: `hostname:port:database:username:password`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passfile {
    lines: Vec<([String; 4], Secret)>,
}

impl Passfile {
    /// The file that `PGPASSFILE` names, else `~/.pgpass`; without either, an empty one.
    ///
    /// # Errors
    /// A file that cannot be read. One that others may read is an error too: libpq ignores it, and says so.
    pub fn read() -> io::Result<Passfile> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = variable("PGPASSFILE");
        match named.or_else(|| variable("HOME").map(|home| home.join(".pgpass"))) {
            Some(path) => Passfile::read_from(&path),
            None => Ok(Passfile::default()),
        }
    }

    /// The file at `path`; an empty one where there is none.
    pub fn read_from(path: &Path) -> io::Result<Passfile> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mode = match fs::metadata(path) {
            Ok(data) if data.is_file() => data.permissions().mode(),
            Ok(_) => return Ok(Passfile::default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Passfile::default()),
            Err(error) => return Err(named(error)),
        };
        if mode & 0o077 != 0 {
            let why = format!("others may read it; chmod 0600 {}", path.display());
            return Err(named(io::Error::new(io::ErrorKind::PermissionDenied, why)));
        }
        Ok(Passfile::parse(&fs::read_to_string(path).map_err(named)?))
    }

    /// Reads the lines of `text`; what is no line of five fields counts for nothing, as with libpq.
    fn parse(text: &str) -> Passfile {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let line = |line: &str| {
            let mut fields = fields(line).into_iter();
            let mut next = || fields.next();
            let key = [next()?, next()?, next()?, next()?];
            Some((key, Secret::new(next().filter(|password| !password.is_empty())?)))
        };
        Passfile { lines: lines.filter_map(line).collect() }
    }

    /// `conninfo` with the password of the first line that fits, unless it has one.
    pub fn complete(&self, conninfo: Conninfo) -> Conninfo {
        if conninfo.has_password() {
            return conninfo;
        }
        let host = match conninfo.host() {
            Host::Tcp(host) => host.clone(),
            Host::Unix(folder) if DEFAULT_SOCKETS.iter().any(|known| folder == Path::new(known)) => {
                "localhost".to_owned()
            }
            Host::Unix(folder) => folder.display().to_string(),
        };
        let wanted =
            [&*host, &*conninfo.port().to_string(), conninfo.dbname(), conninfo.user()].map(str::to_owned);
        let fits =
            |key: &[String; 4]| key.iter().zip(&wanted).all(|(field, value)| field == "*" || field == value);
        match self.lines.iter().find(|(key, _)| fits(key)) {
            Some((_, password)) => conninfo.with_password(password.clone()),
            None => conninfo,
        }
    }
}

/// The fields of a line: `\:` is a colon, `\\` a backslash.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' => fields.push(String::new()),
            c => {
                let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
                fields.last_mut().into_iter().for_each(|field| field.push(c));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, url: &str) -> Option<String> {
        let conninfo = Conninfo::parse_with(url, |_| None).unwrap();
        Passfile::parse(text).complete(conninfo).password().map(|password| password.expose().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let text = "# h:5432:d:u:no\nother:*:*:*:no\nh:5432:d:u:a\\:b\\\\c\n*:*:*:*:any\nshort:line\n";
        assert_eq!(found(text, "postgres://u@h/d").as_deref(), Some("a:b\\c"));
        assert_eq!(found(text, "postgres://u@h:5433/d").as_deref(), Some("any"));
        assert_eq!(found(text, "postgres://u:own@h/d").as_deref(), Some("own"));
        assert_eq!(found("h:5432:d:other:no\nh:5432:d:u:\n", "postgres://u@h/d"), None);
        assert_eq!(found("localhost:*:*:*:x", "postgres:///d?host=/tmp").as_deref(), Some("x"));
        assert_eq!(found("/run/pg:*:*:*:x", "postgres:///d?host=/run/pg").as_deref(), Some("x"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        assert_eq!(Passfile::read_from(&path).unwrap(), Passfile::default());
        fs::write(&path, "*:*:*:*:hunter2\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Passfile::read_from(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 0600") && !error.contains("hunter2"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!format!("{:?}", Passfile::read_from(&path).unwrap()).contains("hunter2"));
    }
}
