//! Whether a password is a token of IAM's: a presigned `GET` of the endpoint for one user, without its scheme (Aurora user
//! guide, "IAM database authentication"; IAM user guide, "Authentication methods", for what the query holds).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::signature::{ALGORITHM, Claim, Keys, LIMIT, Signed, time};
use crate::pg::Secret;

/// The service that tokens are signed for.
const SERVICE: &str = "rds-db";

/// The longest time that a token is good for.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// What a token has to be for.
#[derive(Clone, Debug)]
pub(super) struct Purpose<'a> {
    /// As the client has named itself.
    pub(super) user: &'a [u8],
    /// Every name of the endpoint; case does not count.
    pub(super) hosts: Vec<String>,
    pub(super) port: u16,
    pub(super) region: String,
}

/// Why a token opens nothing. No text repeats a part of it: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("it is not a token")]
    NotAToken,
    #[error("it is for another user")]
    User,
    #[error("it is for another host or port than this endpoint's")]
    Endpoint,
    #[error("it is signed with other keys than the API's")]
    Key,
    #[error("it is signed for another region")]
    Region,
    #[error("it is signed for another service than {SERVICE}")]
    Service,
    #[error("it is good for longer than 15 minutes, or does not say for how long")]
    Lifetime,
    #[error("it has expired")]
    Expired,
    #[error("it is signed in the future")]
    Future,
    #[error("its signature is wrong")]
    Signature,
}

/// Refuses what was not signed with `keys` for this purpose within the time that it is good for.
pub(super) fn verify(
    token: &Secret,
    purpose: &Purpose<'_>,
    keys: &Keys,
    now: DateTime<Utc>,
) -> Result<(), Refused> {
    let (place, query) = token.expose().split_once('?').ok_or(Refused::NotAToken)?;
    let (host, port) = place.trim_end_matches('/').rsplit_once(':').ok_or(Refused::NotAToken)?;
    let parameters: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let parameter = |name: &str| parameters.get(name).map(|value| &**value);
    let claim = Claim::new(
        parameter("X-Amz-Credential").unwrap_or_default(),
        parameter("X-Amz-SignedHeaders").unwrap_or_default(),
        parameter("X-Amz-Signature").unwrap_or_default(),
    );
    let claim = claim.ok_or(Refused::NotAToken)?;
    let stamp = parameter("X-Amz-Date").unwrap_or_default();
    let signed_at = time(stamp).ok_or(Refused::NotAToken)?;
    if parameter("Action") != Some("connect") || parameter("X-Amz-Algorithm") != Some(ALGORITHM) {
        return Err(Refused::NotAToken);
    }
    if parameter("DBUser").map(str::as_bytes) != Some(purpose.user) {
        return Err(Refused::User);
    }
    let is_named = purpose.hosts.iter().any(|name| name.eq_ignore_ascii_case(host));
    if !is_named || port.parse() != Ok(purpose.port) {
        return Err(Refused::Endpoint);
    }
    // A session's token would belong to other keys than these.
    if claim.key != keys.id || parameters.contains_key("X-Amz-Security-Token") {
        return Err(Refused::Key);
    }
    if claim.region != purpose.region {
        return Err(Refused::Region);
    }
    if claim.service != SERVICE {
        return Err(Refused::Service);
    }
    let lifetime = parameter("X-Amz-Expires").and_then(|seconds| seconds.parse::<u32>().ok());
    let lifetime = lifetime.map(|seconds| TimeDelta::seconds(seconds.into()));
    let lifetime = lifetime.filter(|lifetime| *lifetime <= LIFETIME).ok_or(Refused::Lifetime)?;
    if now > signed_at + lifetime {
        return Err(Refused::Expired);
    }
    if signed_at > now + LIMIT {
        return Err(Refused::Future);
    }
    // Some sign the host as it is written, and some as URLs have it, in lower case.
    let is_signed = |host: String| {
        let request = presigned(format!("{host}:{port}"), query);
        claim.check(&request, stamp, keys).is_ok()
    };
    if [host.to_owned(), host.to_ascii_lowercase()].into_iter().any(is_signed) {
        return Ok(());
    }
    Err(Refused::Signature)
}

/// The request that was signed: all of the query but for the signature, and an empty body.
fn presigned(host: String, query: &str) -> Signed {
    let parts: Vec<&str> = query.split('&').filter(|part| !part.starts_with("X-Amz-Signature=")).collect();
    Signed {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        query: parts.join("&"),
        headers: BTreeMap::from([("host".to_owned(), host)]),
        body: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
