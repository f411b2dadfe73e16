//! The protocol of the RDS API: a form, and a document in XML (Smithy, "AWS query protocol").

use super::action::perform;
use super::http::{Api, Reply};
use super::refusal::Refusal;
use super::request::Params;
use super::signature::Signed;
use super::xml::{Element, document};

/// The service that requests are signed for.
const SERVICE: &str = "rds";

/// Does what is asked for.
pub(super) async fn reply(api: &Api, asked: Result<Signed, Refusal>, id: &str) -> Reply {
    let (status, element) = match answer(api, asked, id).await {
        Ok(element) => (200, element),
        Err(refusal) => (refusal.status, refusal.document(id)),
    };
    let (status, body) = match document(&element) {
        Ok(body) => (status, body),
        Err(error) => (500, error.to_string().into_bytes()),
    };
    Reply { status, content_type: "text/xml", body }
}

async fn answer(api: &Api, asked: Result<Signed, Refusal>, id: &str) -> Result<Element, Refusal> {
    let signed = asked?;
    api.admit(&signed, SERVICE)?;
    let params = Params::parse(&signed.query, &signed.body);
    perform(&api.control, &params, id).await
}
