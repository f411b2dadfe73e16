//! What is there: a cluster, its instances, its endpoints and tags, as the RDS API describes them.

use aws_sdk_rds::types::{DbCluster, DbClusterEndpoint, DbInstance};

use super::account::Account;
use super::api::Api;
use super::{Access, CustomEndpoint, Member, Problem, Survey};
use crate::topology::TopologyError;

/// Looks at the cluster that `access` names, with calls that read.
///
/// # Errors
/// No region, no credentials, no such cluster, and whatever AWS says. Whether a run can use it is for [`Survey::check`].
pub async fn survey(access: &Access) -> Result<Survey, TopologyError> {
    let account = Account::find(access).await?;
    Ok(look(&Api::new(&account), &access.cluster).await?)
}

/// The same with an API at hand.
pub(super) async fn look(api: &Api, cluster: &str) -> Result<Survey, Problem> {
    let described = api.cluster(cluster).await?;
    let instances = api.instances(cluster).await?;
    let endpoints = api.endpoints(cluster).await?;
    let arn = described.db_cluster_arn().unwrap_or_default().to_owned();
    let mut survey = of_cluster(api.region(), cluster, described, &instances);
    survey.custom_endpoints = endpoints.map(|endpoints| endpoints.iter().filter_map(custom).collect());
    // What the cluster carries stands in its description, where the endpoint puts it there.
    if survey.tags.is_empty() && !arn.is_empty() {
        match api.tags(&arn).await {
            Ok(tags) => survey.tags.extend(tags),
            Err(Problem::Unsupported { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(survey)
}

/// Roles and states only: what changes while something is done.
pub(super) async fn glance(api: &Api, cluster: &str) -> Result<Survey, Problem> {
    let described = api.cluster(cluster).await?;
    let instances = api.instances(cluster).await?;
    Ok(of_cluster(api.region(), cluster, described, &instances))
}

fn of_cluster(region: &str, cluster: &str, described: DbCluster, instances: &[DbInstance]) -> Survey {
    let port = described.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(5432);
    let at = |host: Option<String>| Some((host.filter(|host| !host.is_empty())?, port));
    let members = described.db_cluster_members.unwrap_or_default();
    let member = |member: aws_sdk_rds::types::DbClusterMember| {
        let instance = member.db_instance_identifier?;
        let found = instances.iter().find(|found| found.db_instance_identifier() == Some(&*instance));
        let address = found.and_then(|found| found.endpoint.as_ref()).and_then(|endpoint| {
            let own = endpoint.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(port);
            Some((endpoint.address.clone()?, own))
        });
        Some(Member {
            instance,
            is_writer: member.is_cluster_writer.unwrap_or(false),
            tier: member.promotion_tier.unwrap_or(1),
            class: found.and_then(|found| found.db_instance_class.clone()),
            zone: found.and_then(|found| found.availability_zone.clone()),
            status: found.and_then(|found| found.db_instance_status.clone()).unwrap_or_default(),
            address,
        })
    };
    let forwarding = described.local_write_forwarding_status.map(|status| status.as_str().to_owned());
    let tags = described.tag_list.unwrap_or_default();
    let tags = tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
    Survey {
        cluster: cluster.to_owned(),
        arn: described.db_cluster_arn.unwrap_or_default(),
        region: region.to_owned(),
        status: described.status.unwrap_or_default(),
        engine: described.engine.unwrap_or_default(),
        version: described.engine_version.unwrap_or_default(),
        writer_endpoint: at(described.endpoint),
        reader_endpoint: at(described.reader_endpoint),
        custom_endpoints: None,
        members: members.into_iter().filter_map(member).collect(),
        write_forwarding: forwarding,
        takes_iam: described.iam_database_authentication_enabled.unwrap_or(false),
        secret: described.master_user_secret.and_then(|secret| secret.secret_arn),
        tags: tags.collect(),
    }
}

fn custom(endpoint: &DbClusterEndpoint) -> Option<CustomEndpoint> {
    let kind = endpoint.custom_endpoint_type()?;
    Some(CustomEndpoint {
        name: endpoint.db_cluster_endpoint_identifier()?.to_owned(),
        kind: kind.to_owned(),
        host: endpoint.endpoint()?.to_owned(),
    })
}
