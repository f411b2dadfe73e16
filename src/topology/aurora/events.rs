//! What RDS itself says has happened.
//!
//! The API answers messages without their ids. The guide lists both ("Amazon RDS event categories and event messages for
//! Aurora"), so that an id is known by the words of its message.

use aws_sdk_rds::primitives::DateTimeFormat;
use aws_sdk_rds::types::{Event, SourceType};

use super::ClusterEvent;
use super::cluster::Cluster;
use crate::topology::TopologyError;

/// What begins, or is part of, the message of an event; the longer ones first.
const IDS: [(&str, &str); 16] = [
    ("started same az failover", "RDS-EVENT-0072"),
    ("started cross az failover", "RDS-EVENT-0073"),
    ("a failover for the db cluster has failed", "RDS-EVENT-0069"),
    ("cluster failover failed", "RDS-EVENT-0069"),
    ("promoting previous primary again", "RDS-EVENT-0070"),
    ("completed failover to db instance", "RDS-EVENT-0071"),
    ("db instance restarted", "RDS-EVENT-0006"),
    ("db instance shutdown", "RDS-EVENT-0004"),
    ("db instance created", "RDS-EVENT-0005"),
    ("db instance deleted", "RDS-EVENT-0003"),
    ("recovery of the db instance has started", "RDS-EVENT-0020"),
    ("recovery of the db instance is complete", "RDS-EVENT-0021"),
    ("db cluster stopped", "RDS-EVENT-0150"),
    ("db cluster started", "RDS-EVENT-0151"),
    ("db instance stopped", "RDS-EVENT-0087"),
    ("db instance started", "RDS-EVENT-0088"),
];

/// Clocks differ: what AWS dates a little before the run may be of it. In seconds.
const EARLIER: i64 = 2;

impl Cluster {
    /// What has been reported of the cluster and its instances since the lab came, in the order of its times.
    pub async fn events(&self) -> Result<Vec<ClusterEvent>, TopologyError> {
        let since = self.since.timestamp() - EARLIER;
        let mut found = self.api.events(SourceType::DbCluster, &self.survey.cluster, since).await?;
        for seat in &self.seats {
            found.extend(self.api.events(SourceType::DbInstance, &seat.instance, since).await?);
        }
        found.sort_by_key(|event| event.date);
        Ok(found.into_iter().map(of_event).collect())
    }
}

fn of_event(event: Event) -> ClusterEvent {
    let time = event.date.and_then(|date| date.fmt(DateTimeFormat::DateTime).ok());
    let message = event.message.unwrap_or_default();
    ClusterEvent {
        time: time.unwrap_or_default(),
        source: event.source_identifier.unwrap_or_default(),
        id: id(&message),
        message,
    }
}

/// The id that the message names, or is known to have.
fn id(message: &str) -> Option<String> {
    if let Some((_, rest)) = message.split_once("RDS-EVENT-") {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return (!digits.is_empty()).then(|| format!("RDS-EVENT-{digits}"));
    }
    let message = message.to_ascii_lowercase();
    IDS.iter().find(|(words, _)| message.contains(words)).map(|(_, id)| (*id).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_known_by_their_words() {
        let known = |message: &str| id(message).unwrap_or_default();
        assert_eq!(known("Completed failover to DB instance: lab-2"), "RDS-EVENT-0071");
        assert_eq!(known("Started cross AZ failover to DB instance: lab-2"), "RDS-EVENT-0073");
        assert_eq!(known("DB instance restarted"), "RDS-EVENT-0006");
        assert_eq!(known("(RDS-EVENT-0072) started"), "RDS-EVENT-0072");
        assert_eq!(id("Something new"), None);
    }
}
