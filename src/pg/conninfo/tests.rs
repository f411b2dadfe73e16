use super::*;
use crate::pg::{Roots, Verify};

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
    assert_eq!(parse("postgres:///d?host=/run/pg").unwrap().host(), &Host::Unix(PathBuf::from("/run/pg")));
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
}

/// What is verified, and against what.
fn tls(text: &str, env: &[(&str, &str)]) -> Result<Option<String>, ConninfoError> {
    let variable =
        |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let read = Conninfo::parse_with(text, variable)?;
    // What is printed says the same again, whatever the environment is.
    assert_eq!(parse(&read.to_string()).unwrap().tls(), read.tls(), "{text}");
    Ok(read.tls().map(|tls| format!("{} {}", tls.verify(), tls.roots())))
}

#[test]
fn reads_how_the_server_is_verified() {
    for (query, expected) in [
        ("", None),
        ("sslmode=disable", None),
        ("sslmode=prefer", None),
        ("sslmode=verify-full", Some("verify-full system")),
        ("sslrootcert=system", Some("verify-full system")),
        ("sslmode=verify-full&sslrootcert=%2Fa%20b%2Fca.pem", Some("verify-full /a b/ca.pem")),
        ("sslmode=verify-ca&sslrootcert=/ca.pem", Some("verify-ca /ca.pem")),
        ("sslmode=require&sslrootcert=/ca.pem", Some("verify-ca /ca.pem")),
    ] {
        let found = tls(&format!("postgres://u@h/d?{query}"), &[]).unwrap();
        assert_eq!(found.as_deref(), expected, "{query}");
    }
    let found = tls("host=h sslmode=verify-full sslrootcert='/a b/ca.pem'", &[]).unwrap();
    assert_eq!(found.as_deref(), Some("verify-full /a b/ca.pem"));
    let here = std::env::current_dir().unwrap().join("ca.pem");
    let found = tls("postgres://u@h/d?sslmode=verify-ca&sslrootcert=ca.pem", &[]).unwrap();
    assert_eq!(found, Some(format!("verify-ca {}", here.display())), "a child may work in another folder");
}

#[test]
fn reads_how_the_server_is_verified_from_the_environment() {
    let roots = ("PGSSLROOTCERT", "/ca.pem");
    let full = [("PGSSLMODE", "verify-full"), roots];
    assert_eq!(tls("postgres://u@h/d", &full).unwrap().as_deref(), Some("verify-full /ca.pem"));
    let both = "postgres://u@h/d?sslmode=verify-ca&sslrootcert=/own.pem";
    assert_eq!(tls(both, &full).unwrap().as_deref(), Some("verify-ca /own.pem"));
    // Roots of the environment are for whoever wants some.
    assert_eq!(tls("postgres://u@h/d", &[roots]).unwrap(), None);
    assert_eq!(tls("postgres://u@h/d?sslmode=disable", &full).unwrap(), None);
    let printed = Conninfo::parse_with("postgres://u@h/d?sslmode=disable", |_| None).unwrap().to_string();
    assert_eq!(printed, "postgres://u@h:5432/d?sslmode=disable", "for whom the environment says otherwise");
}

#[test]
fn tls_with_nobody_verified_is_refused() {
    for (query, error) in [
        ("sslmode=require", ConninfoError::Unverified("require")),
        ("sslmode=verify-ca", ConninfoError::Unverified("verify-ca")),
        ("sslmode=require&sslrootcert=system", ConninfoError::SystemRoots),
        ("sslmode=verify-ca&sslrootcert=system", ConninfoError::SystemRoots),
        ("sslrootcert=/ca.pem", ConninfoError::UnusedRoots),
        ("sslmode=prefer&sslrootcert=/ca.pem", ConninfoError::UnusedRoots),
    ] {
        assert_eq!(parse(&format!("postgres://u@h/d?{query}")), Err(error), "{query}");
    }
    let error = parse("postgres://u:hunter2@h/d?sslmode=verify").unwrap_err();
    assert!(matches!(error, ConninfoError::Value { key: "sslmode", .. }), "{error}");
}

#[test]
fn tls_goes_with_the_connection_string_wherever_it_goes() {
    let read = parse("postgres://u:hunter2@h:1/d?sslmode=verify-full&sslrootcert=/a/ca.pem").unwrap();
    let printed = "postgres://u@h:1/d?sslmode=verify-full&sslrootcert=%2Fa%2Fca.pem";
    assert_eq!(read.to_string(), printed);
    let env = read.env();
    for wanted in [("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", "/a/ca.pem")] {
        assert!(env.iter().any(|(key, value)| (*key, &**value) == wanted), "{env:?}");
    }
    let elsewhere = read.with_host(Host::Tcp("other".to_owned()));
    assert_eq!(elsewhere.to_string(), printed.replace("@h", "@other"));
    let plain = parse("postgres://u@h:1/d").unwrap();
    assert!(plain.env().contains(&("PGSSLMODE", "disable".to_owned())));
    let with = plain.with_tls(Tls::new(Verify::Chain, Roots::System));
    assert_eq!(with.tls(), Some(&Tls::new(Verify::Chain, Roots::System)));
}

#[test]
fn prints_everything_but_the_password() {
    let read = parse("postgres://us%40er:hunter2@h:1/d%20b?application_name=x&connect_timeout=3").unwrap();
    assert_eq!(read.to_string(), "postgres://us%40er@h:1/d%20b?application_name=x&connect_timeout=3");
    assert!(!format!("{read:?}").contains("hunter2"));
    assert_eq!(parse(&read.to_string()).unwrap().dbname(), "d b");
    assert!(read.env().contains(&("PGPASSWORD", "hunter2".to_owned())));
    let set = read.with_setting("search_path", "a b");
    assert!(set.env().contains(&("PGOPTIONS", r"-c search_path=a\ b".to_owned())), "{:?}", set.env());
}
