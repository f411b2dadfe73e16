//! Whether a request was signed with the keys: Signature Version 4 (IAM user guide, "Create a signed AWS API request").

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;
use crate::pg::Secret;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How far the clocks may differ.
pub(super) const LIMIT: TimeDelta = TimeDelta::minutes(15);

/// What a canonical query leaves as it is (RFC 3986, "unreserved").
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What clients have to sign with.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The access key's identifier.
    pub id: String,
    /// The secret that belongs to it.
    pub secret: Secret,
}

/// A request, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Signed {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// What is said of a signature: whose it is, what it is good for, and what it covers.
pub(super) struct Claim<'a> {
    pub(super) key: &'a str,
    date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

/// Refuses what was not signed with `keys` for this service in this region within the last quarter of an hour.
pub(super) fn verify(
    request: &Signed,
    keys: &Keys,
    (region, service): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let Some(authorization) = header("authorization") else {
        let message = "Request is missing Authentication Token";
        return Err(Refusal::new(403, "MissingAuthenticationToken", message));
    };
    let claim = Claim::parse(authorization)?;
    // A session's token would belong to other keys than these.
    if claim.key != keys.id || request.headers.contains_key("x-amz-security-token") {
        let message = "The security token included in the request is invalid.";
        return Err(Refusal::new(403, "InvalidClientTokenId", message));
    }
    if claim.region != region || claim.service != service {
        return Err(mismatch(&format!(
            "Credential should be scoped to region '{region}' and service '{service}', not '{}' and '{}'.",
            claim.region, claim.service
        )));
    }
    let stamp = header("x-amz-date").unwrap_or_default();
    let time =
        time(stamp).ok_or_else(|| incomplete("it needs an 'X-Amz-Date' of the form 20151030T010203Z"))?;
    if (now - time).abs() > LIMIT {
        let message = format!("Request has expired: it was signed at {stamp}, and now it is {now}.");
        return Err(Refusal::new(400, "RequestExpired", message));
    }
    claim.check(request, stamp, keys)
}

/// A time as signatures have it.
pub(super) fn time(stamp: &str) -> Option<DateTime<Utc>> {
    Some(NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%SZ").ok()?.and_utc())
}

impl<'a> Claim<'a> {
    fn parse(text: &'a str) -> Result<Claim<'a>, Refusal> {
        let parts = text.strip_prefix(ALGORITHM).ok_or_else(|| incomplete(ALGORITHM))?;
        let part = |name: &str| {
            let found = parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| incomplete(&format!("Authorization header requires '{name}' parameter")))
        };
        let (credential, headers, signature) =
            (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
        Claim::new(credential, headers, signature)
            .ok_or_else(|| incomplete("Credential is KEY/DATE/REGION/SERVICE/aws4_request"))
    }

    /// From `KEY/DATE/REGION/SERVICE/aws4_request`, the names of the signed headers with semicolons between, and the signature;
    /// `None` where the first is something else.
    pub(super) fn new(credential: &'a str, headers: &'a str, signature: &'a str) -> Option<Claim<'a>> {
        let scope: Vec<&str> = credential.split('/').collect();
        let [key, date, region, service, "aws4_request"] = scope[..] else { return None };
        Some(Claim { key, date, region, service, headers: headers.split(';').collect(), signature })
    }

    /// Refuses a signature that is not that of `request` at `stamp` with `keys`.
    pub(super) fn check(&self, request: &Signed, stamp: &str, keys: &Keys) -> Result<(), Refusal> {
        if !stamp.starts_with(self.date) || !self.headers.contains(&"host") {
            return Err(mismatch("The scope's date has to be the request's, and 'host' has to be signed."));
        }
        let text = text_to_sign(self, stamp, &canonical(request, &self.headers)?);
        let signed = unhex(self.signature).unwrap_or_default();
        mac(&signing_key(keys, self), text.as_bytes()).verify_slice(&signed).map_err(|_| {
            mismatch("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
        })
    }
}

fn incomplete(why: &str) -> Refusal {
    Refusal::new(400, "IncompleteSignature", format!("The request signature is not complete: {why}."))
}

fn mismatch(why: &str) -> Refusal {
    Refusal::new(403, "SignatureDoesNotMatch", why)
}

/// The request in the one form that both sides sign.
fn canonical(request: &Signed, signed: &[&str]) -> Result<String, Refusal> {
    let mut headers = String::new();
    for name in signed {
        let value = request.headers.get(*name).ok_or_else(|| mismatch("A signed header is missing."))?;
        let value: Vec<&str> = value.split_ascii_whitespace().collect();
        headers += &format!("{name}:{}\n", value.join(" "));
    }
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut query: Vec<String> = form_urlencoded::parse(request.query.as_bytes())
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)))
        .collect();
    query.sort();
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        request.path,
        query.join("&"),
        signed.join(";"),
        hex(&Sha256::digest(&request.body))
    ))
}

fn text_to_sign(claim: &Claim<'_>, stamp: &str, canonical: &str) -> String {
    let Claim { date, region, service, .. } = claim;
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    format!("{ALGORITHM}\n{stamp}\n{date}/{region}/{service}/aws4_request\n{hash}")
}

fn signing_key(keys: &Keys, claim: &Claim<'_>) -> Vec<u8> {
    let first = format!("AWS4{}", keys.secret.expose()).into_bytes();
    let parts = [claim.date, claim.region, claim.service, "aws4_request"];
    let step = |key: Vec<u8>, part: &str| mac(&key, part.as_bytes()).finalize().into_bytes().to_vec();
    parts.into_iter().fold(first, step)
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if text.len().is_multiple_of(2) { digits.map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests;
