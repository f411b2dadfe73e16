//! The calls of the RDS API that the lab makes, with plain values on either side.
//!
//! Source: Amazon RDS API reference, version 2014-10-31.

use aws_sdk_rds::Client;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbCluster, DbClusterEndpoint, DbInstance, Event, Filter, SourceType};

use super::Problem;
use super::account::{Account, chain};

/// The RDS API of one region.
#[derive(Clone, Debug)]
pub(super) struct Api {
    client: Client,
    region: String,
}

impl Api {
    pub(super) fn new(account: &Account) -> Api {
        let mut config = aws_sdk_rds::config::Builder::from(&account.sdk);
        if let Some(url) = &account.endpoint_url {
            config = config.endpoint_url(url);
        }
        Api { client: Client::from_conf(config.build()), region: account.region.clone() }
    }

    /// With a client that answers by itself.
    #[cfg(test)]
    pub(super) fn of(client: Client) -> Api {
        Api { client, region: "us-east-1".to_owned() }
    }

    /// Where it is.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// `DescribeDBClusters`, of one.
    ///
    /// # Errors
    /// [`Problem::NoCluster`], and what every call may meet.
    pub(super) async fn cluster(&self, cluster: &str) -> Result<DbCluster, Problem> {
        const CALL: &str = "DescribeDBClusters";
        let no_cluster = || Problem::NoCluster { cluster: cluster.to_owned(), region: self.region.clone() };
        let answer = self.client.describe_db_clusters().db_cluster_identifier(cluster).send().await;
        let answer = answer.map_err(|error| match problem(CALL, error) {
            Problem::Refused { code, .. } if code == "DBClusterNotFoundFault" => no_cluster(),
            other => other,
        })?;
        answer.db_clusters.unwrap_or_default().into_iter().next().ok_or_else(no_cluster)
    }

    /// `DescribeDBInstances`, of one cluster's.
    pub(super) async fn instances(&self, cluster: &str) -> Result<Vec<DbInstance>, Problem> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let filter = Filter::builder().name("db-cluster-id").values(cluster).build();
            let call = self.client.describe_db_instances().filters(filter).set_marker(marker);
            let answer = call.send().await.map_err(|error| problem("DescribeDBInstances", error))?;
            found.extend(answer.db_instances.unwrap_or_default());
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// `DescribeDBClusterEndpoints`; `None` where the endpoint does not know the call. An endpoint that does not know it
    /// answers as one that is broken, so that the first attempt is not made again by itself, and those after it are.
    pub(super) async fn endpoints(&self, cluster: &str) -> Result<Option<Vec<DbClusterEndpoint>>, Problem> {
        let call = || self.client.describe_db_cluster_endpoints().db_cluster_identifier(cluster).customize();
        let known = |error| match problem("DescribeDBClusterEndpoints", error) {
            Problem::Unsupported { .. } => Ok(None),
            error => Err(error),
        };
        let found = match call().config_override(once()).send().await {
            Ok(answer) => answer,
            Err(error) => match known(error) {
                Ok(none) => return Ok(none),
                Err(_) => match call().send().await {
                    Ok(answer) => answer,
                    Err(error) => return known(error),
                },
            },
        };
        Ok(Some(found.db_cluster_endpoints.unwrap_or_default()))
    }

    /// `ListTagsForResource`.
    pub(super) async fn tags(&self, arn: &str) -> Result<Vec<(String, String)>, Problem> {
        let answer = self.client.list_tags_for_resource().resource_name(arn).send().await;
        let answer = answer.map_err(|error| problem("ListTagsForResource", error))?;
        let pair = |tag: aws_sdk_rds::types::Tag| Some((tag.key?, tag.value.unwrap_or_default()));
        Ok(answer.tag_list.unwrap_or_default().into_iter().filter_map(pair).collect())
    }

    /// `FailoverDBCluster`, once: whether it is made again is for whoever sees what became of it.
    pub(super) async fn fail_over(&self, cluster: &str, target: &str) -> Result<Taken, Problem> {
        let call = self.client.failover_db_cluster().db_cluster_identifier(cluster);
        let call = call.target_db_instance_identifier(target).customize();
        taken("FailoverDBCluster", call.config_override(once()).send().await)
    }

    /// `RebootDBInstance`, once; without `ForceFailover`, which is not for Aurora.
    pub(super) async fn reboot(&self, instance: &str) -> Result<Taken, Problem> {
        let call = self.client.reboot_db_instance().db_instance_identifier(instance).customize();
        taken("RebootDBInstance", call.config_override(once()).send().await)
    }

    /// `DescribeEvents` of a cluster, or of an instance, from `since` on, in seconds since 1970.
    pub(super) async fn events(
        &self,
        kind: SourceType,
        source: &str,
        since: i64,
    ) -> Result<Vec<Event>, Problem> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.client.describe_events().source_type(kind.clone()).source_identifier(source);
            let call = call.start_time(DateTime::from_secs(since)).set_marker(marker);
            let answer = call.send().await.map_err(|error| problem("DescribeEvents", error))?;
            found.extend(answer.events.unwrap_or_default());
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(found);
            }
        }
    }
}

/// A call that changes something, and was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The API says that it does it.
    Accepted,
    /// No answer came back, and what was sent may have been accepted.
    Lost,
}

/// Without the SDK's own retries, which also make a call again whose answer was lost.
fn once() -> aws_sdk_rds::config::Builder {
    aws_sdk_rds::config::Config::builder().retry_config(RetryConfig::disabled())
}

/// What became of a call that changes something.
fn taken<T, E>(call: &'static str, answer: Result<T, SdkError<E>>) -> Result<Taken, Problem>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Err(error) = answer else { return Ok(Taken::Accepted) };
    let is_lost = match &error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        SdkError::ServiceError(said) => said.raw().status_code() >= 500,
        _ => false,
    };
    match problem(call, error) {
        decided @ (Problem::Unsupported { .. } | Problem::Throttled { .. } | Problem::Expired { .. }) => {
            Err(decided)
        }
        _ if is_lost => Ok(Taken::Lost),
        refused => Err(refused),
    }
}

/// What an error of the SDK's means, in one line and without what the SDK was asked with.
pub(super) fn problem<E, R>(call: &'static str, error: SdkError<E, R>) -> Problem
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: HasStatus + std::fmt::Debug,
{
    match &error {
        SdkError::ServiceError(said) => {
            let (code, message) = (said.err().code(), said.err().message());
            let status = said.raw().status_code();
            of_answer(call, code, message, status)
        }
        SdkError::ResponseError(answer) => of_answer(call, None, None, answer.raw().status_code()),
        SdkError::TimeoutError(_) => Problem::Unreachable { call, why: "no answer in time".to_owned() },
        SdkError::DispatchFailure(failure) => {
            let why = failure.as_connector_error().map(|error| chain(error));
            Problem::Unreachable { call, why: why.unwrap_or_else(|| chain(&error)) }
        }
        _ => Problem::Refused { call, code: "not sent".to_owned(), why: chain(&error) },
    }
}

/// An answer that carries a status.
pub(super) trait HasStatus {
    /// HTTP's.
    fn status_code(&self) -> u16;
}

impl HasStatus for aws_sdk_rds::config::http::HttpResponse {
    fn status_code(&self) -> u16 {
        self.status().as_u16()
    }
}

fn of_answer(call: &'static str, code: Option<&str>, message: Option<&str>, status: u16) -> Problem {
    let why = || message.unwrap_or("no reason is given").split_whitespace().collect::<Vec<_>>().join(" ");
    match code {
        // Not an answer of the API's at all.
        None if matches!(status, 404 | 405 | 500 | 501) => Problem::Unsupported { call },
        None => Problem::Refused { call, code: format!("HTTP {status}"), why: why() },
        Some("InvalidAction" | "UnknownOperationException" | "NotImplemented") => {
            Problem::Unsupported { call }
        }
        Some("ExpiredToken" | "ExpiredTokenException" | "RequestExpired") => {
            Problem::Expired { call, why: why() }
        }
        Some("Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException") => {
            Problem::Throttled { call, why: why() }
        }
        Some(code) => Problem::Refused { call, code: code.to_owned(), why: why() },
    }
}
