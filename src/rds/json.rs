//! The protocol of Secrets Manager: a document in JSON, and another one (Smithy, "AWS JSON 1.1 protocol").

use serde_json::{Value, json};

use super::http::{Api, Reply};
use super::refusal::Refusal;
use super::signature::Signed;

/// The service that requests are signed for, and of which a target is a call.
const SERVICE: &str = "secretsmanager";

/// The header that names the call; a request without it is of the other protocol.
pub(super) const TARGET: &str = "x-amz-target";

/// Does what is asked for.
pub(super) fn reply(api: &Api, asked: Result<Signed, Refusal>) -> Reply {
    let (status, value) = match asked.and_then(|signed| answer(api, &signed)) {
        Ok(value) => (200, value),
        Err(refusal) => refused(&refusal),
    };
    Reply { status, content_type: "application/x-amz-json-1.1", body: value.to_string().into_bytes() }
}

fn answer(api: &Api, signed: &Signed) -> Result<Value, Refusal> {
    api.admit(signed, SERVICE)?;
    let target = signed.headers.get(TARGET).map(String::as_str).unwrap_or_default();
    match target.strip_prefix(SERVICE) {
        Some(".GetSecretValue") => api.control.fleet().secret_value(&signed.body),
        _ => Err(Refusal::new(400, "UnknownOperationException", "This cluster does not offer that.")),
    }
}

/// The status, and the error. Common errors have other codes here than in the query protocol, and one status.
fn refused(refusal: &Refusal) -> (u16, Value) {
    let code = match refusal.code {
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        "IncompleteSignature" => "IncompleteSignatureException",
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "SignatureDoesNotMatch" | "RequestExpired" => "InvalidSignatureException",
        "Throttling" => "ThrottlingException",
        "ValidationError" => "InvalidRequestException",
        other => other,
    };
    let status = if refusal.status < 500 { 400 } else { refusal.status };
    (status, json!({ "__type": code, "Message": refusal.message }))
}
