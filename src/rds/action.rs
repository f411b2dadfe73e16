//! The actions of the API, by name.

use std::sync::Arc;

use super::answer;
use super::control::Control;
use super::page::page;
use super::refusal::Refusal;
use super::request::Params;
use super::xml::{Element, group, text};

/// The one version of the API.
const VERSION: &str = "2014-10-31";

/// Does what is asked for, and answers its document.
pub(super) async fn perform(
    control: &Arc<Control>,
    params: &Params,
    request_id: &str,
) -> Result<Element, Refusal> {
    let action = params.required("Action")?;
    let version = params.get("Version").unwrap_or(VERSION);
    if version != VERSION {
        return Err(Refusal::action(format!("Could not find operation {action} for version {version}.")));
    }
    let result = match action {
        "DescribeDBClusters" => Some(clusters(control, params).await?),
        "DescribeDBInstances" => Some(instances(control, params)?),
        "DescribeDBClusterEndpoints" => Some(endpoints(control, params)?),
        "DescribeEvents" => Some(control.log().describe(params)?),
        "FailoverDBCluster" => Some(control.fail_over(params).await?),
        "RebootDBInstance" => Some(control.reboot(params).await?),
        "StopDBCluster" => Some(control.stop(params).await?),
        "StartDBCluster" => Some(control.start(params).await?),
        "CreateDBInstance" => Some(control.create(params).await?),
        "DeleteDBInstance" => Some(control.delete(params).await?),
        "ListTagsForResource" => {
            let mut fleet = control.fleet();
            Some(vec![answer::tags("TagList", fleet.tags(params.required("ResourceName")?)?)])
        }
        "AddTagsToResource" => {
            control.fleet().tags(params.required("ResourceName")?)?.extend(params.tags());
            None
        }
        "RemoveTagsFromResource" => {
            let mut fleet = control.fleet();
            let tags = fleet.tags(params.required("ResourceName")?)?;
            params.list("TagKeys", "member").iter().for_each(|key| drop(tags.remove(*key)));
            None
        }
        _ => {
            return Err(Refusal::action(format!(
                "Could not find operation {action} for version {version}: this cluster does not offer it."
            )));
        }
    };
    let result = result.map(|result| group(&format!("{action}Result"), result));
    let metadata = group("ResponseMetadata", vec![text("RequestId", request_id)]);
    Ok(group(&format!("{action}Response"), result.into_iter().chain([metadata]).collect()))
}

async fn clusters(control: &Arc<Control>, params: &Params) -> Result<Vec<Element>, Refusal> {
    let writer = control.writer().await?;
    let fleet = control.fleet();
    if let Some(id) = params.get("DBClusterIdentifier") {
        fleet.check_name(id)?;
    }
    let is_wanted = filters(params)?.iter().try_fold(true, |so_far, filter| {
        let fits = match filter.name.as_str() {
            "db-cluster-id" => filter.any(|value| fleet.is_called(value)),
            "engine" => filter.any(|value| value == "aurora-postgresql"),
            _ => return Err(filter.unknown()),
        };
        Ok(so_far && fits)
    })?;
    let found = is_wanted.then(|| answer::cluster(&fleet, writer));
    page("DBClusters", found.into_iter().collect(), params)
}

fn instances(control: &Arc<Control>, params: &Params) -> Result<Vec<Element>, Refusal> {
    let fleet = control.fleet();
    let named = params.get("DBInstanceIdentifier").map(|id| fleet.member(id)).transpose()?;
    let filters = filters(params)?;
    let mut found = Vec::new();
    for member in fleet.members.iter().filter(|one| named.is_none_or(|named| named.name == one.name)) {
        let fits = filters.iter().try_fold(true, |so_far, filter| {
            let fits = match filter.name.as_str() {
                "db-cluster-id" => filter.any(|value| fleet.is_called(value)),
                "db-instance-id" => {
                    filter.any(|value| fleet.member(value).is_ok_and(|other| other.name == member.name))
                }
                "engine" => filter.any(|value| value == "aurora-postgresql"),
                _ => return Err(filter.unknown()),
            };
            Ok(so_far && fits)
        })?;
        found.extend(fits.then(|| answer::instance(&fleet, member)));
    }
    page("DBInstances", found, params)
}

fn endpoints(control: &Arc<Control>, params: &Params) -> Result<Vec<Element>, Refusal> {
    let fleet = control.fleet();
    if let Some(id) = params.get("DBClusterIdentifier") {
        fleet.check_name(id)?;
    }
    let filters = filters(params)?;
    let mut found = Vec::new();
    // Only endpoints that users have made have an identifier.
    let all = if params.get("DBClusterEndpointIdentifier").is_some() {
        Vec::new()
    } else {
        answer::endpoints(&fleet)
    };
    for (kind, element) in all {
        let fits = filters.iter().try_fold(true, |so_far, filter| {
            let fits = match filter.name.as_str() {
                "db-cluster-endpoint-type" => filter.any(|value| value.eq_ignore_ascii_case(kind)),
                "db-cluster-endpoint-id" | "db-cluster-endpoint-custom-type" => false,
                "db-cluster-endpoint-status" => filter.any(|value| value == "available"),
                _ => return Err(filter.unknown()),
            };
            Ok(so_far && fits)
        })?;
        found.extend(fits.then_some(element));
    }
    page("DBClusterEndpoints", found, params)
}

/// One of the values has to fit.
struct Filter {
    name: String,
    values: Vec<String>,
}

impl Filter {
    fn any(&self, fits: impl Fn(&str) -> bool) -> bool {
        self.values.iter().any(|value| fits(value))
    }

    fn unknown(&self) -> Refusal {
        Refusal::value(format!("Unrecognized filter name: {}", self.name))
    }
}

fn filters(params: &Params) -> Result<Vec<Filter>, Refusal> {
    let filter = |group: Params| {
        let values = group.list("Values", "Value").into_iter().map(str::to_owned).collect();
        Ok(Filter { name: group.required("Name")?.to_owned(), values })
    };
    params.groups("Filters", "Filter").into_iter().map(filter).collect()
}
