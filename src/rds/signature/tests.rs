//! The expected signatures were computed with botocore's `SigV4Auth`, for the keys of AWS's own examples.

use super::*;

const POST: &str = "9f65bf3e6c5b399331b32781cdd3a171acde5ed50ee90251a79b09411ccd4250";
const GET: &str = "1b564484f434e6685cd3330afd2cc946adcc03a72713363008dedcf7aa57ea3f";
const RDS: (&str, &str) = ("us-east-1", "rds");
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

fn keys() -> Keys {
    Keys { id: "AKIDEXAMPLE".to_owned(), secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") }
}

fn authorization(headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261129/us-east-1/rds/aws4_request, \
         SignedHeaders={headers}, Signature={signature}"
    )
}

fn request(method: &str, query: &str, body: &str, headers: &[(&str, String)]) -> Signed {
    let common = [("host", "127.0.0.1:4510".to_owned()), ("x-amz-date", "20261129T020000Z".to_owned())];
    let headers = common.iter().chain(headers).map(|(name, value)| ((*name).to_owned(), value.clone()));
    Signed {
        method: method.to_owned(),
        path: "/".to_owned(),
        query: query.to_owned(),
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn post() -> Signed {
    let headers = [
        ("content-type", FORM.to_owned()),
        ("authorization", authorization("content-type;host;x-amz-date", POST)),
    ];
    request("POST", "", "Action=DescribeDBClusters&Version=2014-10-31", &headers)
}

fn get() -> Signed {
    let query = "Version=2014-10-31&Action=DescribeDBClusters&Marker=a%2Fb%20c~&A=";
    request("GET", query, "", &[("authorization", authorization("host;x-amz-date", GET))])
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn code(request: &Signed, keys: &Keys, region: &str) -> &'static str {
    verify(request, keys, (region, "rds"), at("2026-11-29T02:00:01Z")).unwrap_err().code
}

#[test]
fn what_another_implementation_signed_is_accepted() {
    for request in [post(), get()] {
        for time in ["2026-11-29T01:46:00Z", "2026-11-29T02:14:59Z"] {
            assert_eq!(verify(&request, &keys(), RDS, at(time)), Ok(()));
        }
    }
}

#[test]
fn whatever_was_changed_afterwards_is_refused() {
    let changes: [fn(&mut Signed); 6] = [
        |signed| signed.body.push(b'x'),
        |signed| "GET".clone_into(&mut signed.method),
        |signed| "/x".clone_into(&mut signed.path),
        |signed| "A=1".clone_into(&mut signed.query),
        |signed| *signed.headers.get_mut("host").unwrap() = "127.0.0.1:1".to_owned(),
        |signed| *signed.headers.get_mut("x-amz-date").unwrap() = "20261129T020001Z".to_owned(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut signed = post();
        change(&mut signed);
        assert_eq!(code(&signed, &keys(), "us-east-1"), "SignatureDoesNotMatch", "change {number}");
    }
    let other = Keys { secret: Secret::new("another"), ..keys() };
    assert_eq!(code(&post(), &other, "us-east-1"), "SignatureDoesNotMatch");
    assert_eq!(code(&post(), &keys(), "eu-west-1"), "SignatureDoesNotMatch");
    let other = verify(&post(), &keys(), ("us-east-1", "secretsmanager"), at("2026-11-29T02:00:01Z"));
    assert_eq!(other.unwrap_err().code, "SignatureDoesNotMatch", "another service");
    let mut cut = post();
    cut.headers.insert("authorization".to_owned(), authorization("host;x-amz-date", &POST[..62]));
    assert_eq!(code(&cut, &keys(), "us-east-1"), "SignatureDoesNotMatch");
    cut.headers.insert("authorization".to_owned(), authorization("x-amz-date", POST));
    assert_eq!(code(&cut, &keys(), "us-east-1"), "SignatureDoesNotMatch", "the host has to be signed");
}

#[test]
fn whoever_cannot_have_signed_is_told_why() {
    let mut unsigned = post();
    unsigned.headers.remove("authorization");
    assert_eq!(code(&unsigned, &keys(), "us-east-1"), "MissingAuthenticationToken");
    unsigned.headers.insert("authorization".to_owned(), "Basic eDp5".to_owned());
    assert_eq!(code(&unsigned, &keys(), "us-east-1"), "IncompleteSignature");
    let stranger = Keys { id: "AKIDOTHER".to_owned(), ..keys() };
    assert_eq!(code(&post(), &stranger, "us-east-1"), "InvalidClientTokenId");
    let mut session = post();
    session.headers.insert("x-amz-security-token".to_owned(), "token".to_owned());
    assert_eq!(code(&session, &keys(), "us-east-1"), "InvalidClientTokenId");
    let late = verify(&post(), &keys(), RDS, at("2026-11-29T02:15:01Z")).unwrap_err();
    assert_eq!((late.code, late.status), ("RequestExpired", 400));
    let mut undated = post();
    undated.headers.remove("x-amz-date");
    assert_eq!(code(&undated, &keys(), "us-east-1"), "IncompleteSignature");
}
