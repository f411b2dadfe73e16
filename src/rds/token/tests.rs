//! The tokens are those of botocore's `generate_db_auth_token`, at a time of the tests' own and for the keys of AWS's own
//! examples.

use super::*;

const TOKEN: &str = "127.0.0.2:5433/?Action=connect&DBUser=replab&X-Amz-Algorithm=AWS4-HMAC-SHA256\
    &X-Amz-Credential=AKIDEXAMPLE%2F20261129%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20261129T020000Z\
    &X-Amz-Expires=900&X-Amz-SignedHeaders=host\
    &X-Amz-Signature=491647ab91fae0c08c597a606fb1c691479cfdc3dc65df71c8c7292b42c42a54";

/// For a name with capitals, which botocore signs without them, and a user that has to be escaped.
const ODD: &str = "Part-4.Cluster.lab.test:5433/?Action=connect&DBUser=an%20odd%2Fuser&X-Amz-Algorithm=AWS4-HMAC-SHA256\
    &X-Amz-Credential=AKIDEXAMPLE%2F20261129%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20261129T020000Z\
    &X-Amz-Expires=900&X-Amz-SignedHeaders=host\
    &X-Amz-Signature=5bce498cc6349b16cef620d9e0eaa6a95dd71dc9f5f515637c74cad1ae910df4";

fn keys() -> Keys {
    Keys { id: "AKIDEXAMPLE".to_owned(), secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") }
}

fn purpose(user: &str) -> Purpose<'_> {
    Purpose {
        user: user.as_bytes(),
        hosts: vec!["127.0.0.2".to_owned(), "part-4.cluster.lab.test".to_owned()],
        port: 5433,
        region: "us-east-1".to_owned(),
    }
}

fn at(token: &str, time: &str) -> Result<(), Refused> {
    verify(&Secret::new(token), &purpose("replab"), &keys(), time.parse().unwrap())
}

/// A second after it was signed.
fn now(token: &str) -> Result<(), Refused> {
    at(token, "2026-11-29T02:00:01Z")
}

#[test]
fn what_another_implementation_signed_is_accepted() {
    assert_eq!(now(TOKEN), Ok(()));
    let time = "2026-11-29T02:00:01Z".parse().unwrap();
    assert_eq!(verify(&Secret::new(ODD), &purpose("an odd/user"), &keys(), time), Ok(()));
    // Other libraries leave the path out.
    assert_eq!(now(&TOKEN.replacen("5433/?", "5433?", 1)), Ok(()));
}

#[test]
fn it_is_good_for_as_long_as_it_says() {
    assert_eq!(at(TOKEN, "2026-11-29T02:15:00Z"), Ok(()));
    assert_eq!(at(TOKEN, "2026-11-29T02:15:01Z"), Err(Refused::Expired));
    assert_eq!(at(TOKEN, "2026-11-29T01:45:00Z"), Ok(()), "the clocks may differ");
    assert_eq!(at(TOKEN, "2026-11-29T01:44:59Z"), Err(Refused::Future));
    let good_for = |seconds| now(&TOKEN.replace("Expires=900", &format!("Expires={seconds}")));
    assert_eq!(good_for("901"), Err(Refused::Lifetime));
    assert_eq!(good_for("x"), Err(Refused::Lifetime));
    assert_eq!(now(&TOKEN.replace("&X-Amz-Expires=900", "")), Err(Refused::Lifetime));
    assert_eq!(good_for("0"), Err(Refused::Expired));
    assert_eq!(good_for("899"), Err(Refused::Signature), "it is part of what was signed");
}

#[test]
fn it_is_for_one_user_and_one_endpoint() {
    let time: DateTime<Utc> = "2026-11-29T02:00:01Z".parse().unwrap();
    let refused = |purpose: &Purpose<'_>| verify(&Secret::new(TOKEN), purpose, &keys(), time);
    assert_eq!(refused(&purpose("replab2")), Err(Refused::User));
    assert_eq!(refused(&purpose("Replab")), Err(Refused::User));
    let elsewhere = Purpose { hosts: vec!["127.0.0.11".to_owned()], ..purpose("replab") };
    assert_eq!(refused(&elsewhere), Err(Refused::Endpoint));
    assert_eq!(refused(&Purpose { port: 5432, ..purpose("replab") }), Err(Refused::Endpoint));
    assert_eq!(
        refused(&Purpose { region: "eu-west-1".to_owned(), ..purpose("replab") }),
        Err(Refused::Region)
    );
}

#[test]
fn whatever_was_changed_afterwards_is_refused() {
    for (from, to, why) in [
        ("DBUser=replab", "DBUser=postgres", Refused::User),
        ("DBUser=replab&", "", Refused::User),
        ("127.0.0.2", "127.0.0.3", Refused::Endpoint),
        ("127.0.0.2", "part-4.cluster.lab.test", Refused::Signature),
        ("AKIDEXAMPLE", "AKIDOTHER", Refused::Key),
        ("us-east-1", "eu-west-1", Refused::Region),
        ("rds-db", "rds", Refused::Service),
        ("20261129T020000Z", "20261129T020001Z", Refused::Signature),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=date", Refused::Signature),
        ("Action=connect", "Action=Connect", Refused::NotAToken),
        ("&X-Amz-Expires", "&A=1&X-Amz-Expires", Refused::Signature),
        ("&X-Amz-Expires", "&X-Amz-Security-Token=x&X-Amz-Expires", Refused::Key),
        ("491647ab", "491647aa", Refused::Signature),
        ("491647ab", "491647", Refused::Signature),
        ("491647ab91fae0c08c597a606fb1c691479cfdc3dc65df71c8c7292b42c42a54", "", Refused::Signature),
    ] {
        let changed = TOKEN.replacen(from, to, 1);
        assert_ne!(changed, TOKEN);
        assert_eq!(now(&changed), Err(why), "{from} is {to}");
    }
    let other = Keys { secret: Secret::new("another"), ..keys() };
    let time = "2026-11-29T02:00:01Z".parse().unwrap();
    assert_eq!(verify(&Secret::new(TOKEN), &purpose("replab"), &other, time), Err(Refused::Signature));
}

#[test]
fn a_password_is_no_token() {
    for password in ["", "hunter2", "?", "127.0.0.2:5433/?", "127.0.0.2:5433/?DBUser=replab", &TOKEN[..120]] {
        assert_eq!(now(password), Err(Refused::NotAToken), "{password}");
    }
    // What is told of a refusal is the same for every token.
    assert!(!Refused::Endpoint.to_string().contains("127.0.0"));
}
