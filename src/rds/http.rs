//! The endpoint of the API: HTTP/1.1, one request after the other.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::control::Control;
use super::refusal::Refusal;
use super::signature::{Signed, verify};
use super::{identifier, json, query};

/// The longest body; the longest request of the API is a fraction of it.
const BODY_LIMIT: usize = 1 << 20;

/// What answers requests.
pub(super) struct Api {
    pub(super) control: Arc<Control>,
    pub(super) region: String,
}

/// An answer.
pub(super) struct Reply {
    /// HTTP's.
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

/// Answers until it is dropped.
pub(super) async fn serve(listener: TcpListener, api: Arc<Api>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let api = Arc::clone(&api);
                    let answer = service_fn(move |request| {
                        let api = Arc::clone(&api);
                        async move { Ok::<_, Infallible>(api.answer(request).await) }
                    });
                    let connection =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                    // An error is the client's: it has hung up, or does not speak HTTP.
                    connections.spawn(async move { connection.await.unwrap_or_default() });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let id = identifier::unique().unwrap_or_default();
        let is_json = request.headers().contains_key(json::TARGET);
        let asked = signed(request).await;
        let reply = if is_json { json::reply(self, asked) } else { query::reply(self, asked, &id).await };
        let mut response = Response::new(Full::new(Bytes::from(reply.body)));
        let status = StatusCode::from_u16(reply.status);
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        response
    }

    /// Refuses what is not signed for this service, and as many requests as the dice say.
    pub(super) fn admit(&self, signed: &Signed, service: &str) -> Result<(), Refusal> {
        verify(signed, &self.control.keys, (&self.region, service), Utc::now())?;
        if self.control.dice.throttles() {
            return Err(Refusal::new(400, "Throttling", "Rate exceeded"));
        }
        Ok(())
    }
}

/// The request with its whole body.
async fn signed(request: Request<Incoming>) -> Result<Signed, Refusal> {
    let (head, body) = request.into_parts();
    let mut signed = Signed {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        ..Signed::default()
    };
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let known = signed.headers.entry(name.as_str().to_owned());
        known.and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
    }
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let body = body.map_err(|error| Refusal::new(400, "ValidationError", format!("the body: {error}")))?;
    signed.body = body.to_bytes().to_vec();
    Ok(signed)
}
