//! The text of a connection string: its two forms, quoting, percent-encoding.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ConninfoError;

pub(super) fn parse_port(text: &str) -> Result<u16, ConninfoError> {
    match text.parse() {
        Ok(0) if text.contains(',') => Err(ConninfoError::SeveralHosts),
        Ok(port) if port != 0 => Ok(port),
        _ => Err(ConninfoError::Port),
    }
}

/// libpq's seconds; 0 and negative mean no limit.
pub(super) fn parse_seconds(text: &str) -> Result<Option<Duration>, ConninfoError> {
    let seconds: i64 = text
        .parse()
        .map_err(|_| ConninfoError::Value { key: "connect_timeout", expected: "a number of seconds" })?;
    Ok(u64::try_from(seconds).ok().filter(|&seconds| seconds > 0).map(Duration::from_secs))
}

/// `user:password@host:port/dbname?key=value&…`, each part optional.
pub(super) fn url_pairs(rest: &str) -> Result<BTreeMap<String, String>, ConninfoError> {
    let mut pairs = BTreeMap::new();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    let (user_info, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']').ok_or(ConninfoError::Shape)?;
            let port = if port.is_empty() { Some(port) } else { port.strip_prefix(':') };
            (host, port.ok_or(ConninfoError::Shape)?)
        }
        None if address.contains(',') => return Err(ConninfoError::SeveralHosts),
        None => address.split_once(':').unwrap_or((address, "")),
    };
    // An address of IPv6 without brackets: nobody can tell where the port begins.
    if port.contains(':') {
        return Err(ConninfoError::Shape);
    }
    let parts = [("user", user), ("password", password), ("host", host), ("dbname", dbname)];
    for (key, value) in parts {
        pairs.insert(key.to_owned(), decode(value, key)?);
    }
    pairs.insert("port".to_owned(), port.to_owned());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(ConninfoError::Shape)?;
        let key = decode(key, "name of a parameter")?;
        pairs.insert(key, decode(value, "value of a parameter")?);
    }
    Ok(pairs)
}

/// `key = value key='a value with \' and \\'`.
pub(super) fn key_value_pairs(text: &str) -> Result<BTreeMap<String, String>, ConninfoError> {
    let mut pairs = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(ConninfoError::Shape)?;
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(ConninfoError::Shape);
        }
        let (value, after) =
            quoted_value(after.trim_start()).ok_or_else(|| ConninfoError::Quoting(key.to_owned()))?;
        pairs.insert(key.to_owned(), value);
        rest = after.trim_start();
    }
    if pairs.is_empty() { Err(ConninfoError::Shape) } else { Ok(pairs) }
}

/// A value at the start of `text`, and what is behind it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let body = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next()?.1),
            '\'' if quoted.is_some() => return Some((value, &body[at + 1..])),
            c if c.is_whitespace() && quoted.is_none() => return Some((value, &body[at..])),
            c => value.push(c),
        }
    }
    quoted.is_none().then_some((value, ""))
}

fn decode(text: &str, what: &'static str) -> Result<String, ConninfoError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.ok_or(ConninfoError::Encoding(what))?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| ConninfoError::Encoding(what))
}

pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
