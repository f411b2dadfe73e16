//! Requests signed by the test's own hand, and answers taken apart.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::serving::{KEY_ID, SECRET};

/// An answer, or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) xml: String,
}

impl Answer {
    /// Asserts that it was done.
    #[track_caller]
    pub(super) fn ok(self) -> Answer {
        assert_eq!(self.status, 200, "{}", self.xml);
        self
    }

    /// The error's code, and the status of HTTP.
    pub(super) fn refusal(&self) -> (u16, String) {
        (self.status, self.text("Code"))
    }

    /// The text of the first element of that name.
    #[track_caller]
    pub(super) fn text(&self, name: &str) -> String {
        self.parts(name).next().unwrap_or_else(|| panic!("no {name}: {}", self.xml)).to_owned()
    }

    /// Every element of that name.
    pub(super) fn all(&self, name: &str) -> Vec<Answer> {
        self.parts(name).map(|part| Answer { status: self.status, xml: part.to_owned() }).collect()
    }

    fn parts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let mut rest = self.xml.as_str();
        std::iter::from_fn(move || {
            rest = &rest[rest.find(&start)? + start.len()..];
            let (part, after) = rest.split_at(rest.find(&end)?);
            rest = after;
            Some(part)
        })
    }
}

/// A form, signed at `now`.
pub(super) fn post(api: &str, body: &str, key: &str, secret: &str, now: DateTime<Utc>) -> Answer {
    let stamp = now.format("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/us-east-1/rds/aws4_request", &stamp[..8]);
    let canonical = format!(
        "POST\n/\n\nhost:{api}\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{}",
        hex(&Sha256::digest(body.as_bytes()))
    );
    let signature = signature(secret, &stamp, &scope, &canonical);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    );
    send(api, body, &format!("X-Amz-Date: {stamp}\r\nAuthorization: {authorization}\r\n"))
}

/// Of a request in its canonical form.
fn signature(secret: &str, stamp: &str, scope: &str, canonical: &str) -> String {
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hash}");
    let start = format!("AWS4{secret}").into_bytes();
    let signing = scope.split('/').fold(start, |key, part| mac(&key, part));
    hex(&mac(&signing, &text))
}

/// What a token is for, and who signs it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// With its port.
    pub(super) host: String,
    pub(super) user: String,
    pub(super) region: &'static str,
    pub(super) service: &'static str,
    pub(super) key: &'static str,
    pub(super) secret: &'static str,
    /// In seconds.
    pub(super) good_for: u32,
    pub(super) signed_at: DateTime<Utc>,
}

impl Token {
    /// Signed now, as the API's keys and region would have it.
    pub(super) fn new(host: String, user: &str) -> Token {
        let (region, service, key, secret) = ("us-east-1", "rds-db", KEY_ID, SECRET);
        Token {
            host,
            user: user.to_owned(),
            region,
            service,
            key,
            secret,
            good_for: 900,
            signed_at: Utc::now(),
        }
    }

    pub(super) fn text(&self) -> String {
        let Token { host, user, region, service, key, secret, good_for, .. } = self;
        let stamp = self.signed_at.format("%Y%m%dT%H%M%SZ").to_string();
        let date = &stamp[..8];
        let query = format!(
            "Action=connect&DBUser={user}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F{date}%2F{region}\
             %2F{service}%2Faws4_request&X-Amz-Date={stamp}&X-Amz-Expires={good_for}&X-Amz-SignedHeaders=host"
        );
        let nothing = hex(&Sha256::digest(b""));
        let canonical = format!("GET\n/\n{query}\nhost:{host}\n\nhost\n{nothing}");
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let signature = signature(secret, &stamp, &scope, &canonical);
        format!("{host}/?{query}&X-Amz-Signature={signature}")
    }
}

/// A form with more headers, as it is.
pub(super) fn send(api: &str, body: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(api).unwrap();
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, xml) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.to_ascii_lowercase().contains("content-type: text/xml"), "{head}");
    Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), xml: xml.to_owned() }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
