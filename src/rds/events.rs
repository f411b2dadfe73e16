//! What happened, in the words that the API has for it (Aurora user guide, "Amazon RDS event categories and event messages
//! for Aurora").

use chrono::{DateTime, TimeDelta, Utc};

use super::page::page;
use super::refusal::Refusal;
use super::request::Params;
use super::xml::{Element, group, text};

/// How long an event is kept.
const KEPT: TimeDelta = TimeDelta::days(14);

/// The longest `Duration` that is allowed, in minutes: as long as events are kept (API reference, "DescribeEvents").
const LONGEST: u32 = 20_160;

/// Something that happened to a cluster or an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    FailoverFailed,
    PromotedAgain { to: String },
    FailoverDone { to: String },
    FailoverStarted { to: String, across_zones: bool },
    ClusterCreated,
    ClusterStopped,
    ClusterStarted,
    Shutdown,
    Restarted,
    Created,
    Deleted,
    Stopped,
    Started,
    RecoveryStarted,
    RecoveryDone,
    Reconnected,
}

/// What it happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Cluster,
    Instance,
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub(super) struct Event {
    time: DateTime<Utc>,
    source: Source,
    name: String,
    arn: String,
    happening: Happening,
}

/// The log, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log(Vec<Event>);

impl Happening {
    /// The documented number, category and message, without the full stop of the table where what is sent has none. The API
    /// itself sends no number: subscribers get it, and people.
    fn facts(&self) -> (u16, &'static str, String) {
        let plain = |number, category, message: &str| (number, category, message.to_owned());
        match self {
            Happening::FailoverFailed => plain(
                69,
                "failover",
                "Cluster failover failed, check the health of your cluster instances and try again",
            ),
            Happening::PromotedAgain { to } => {
                (70, "failover", format!("Promoting previous primary again: {to}"))
            }
            Happening::FailoverDone { to } => {
                (71, "failover", format!("Completed failover to DB instance: {to}"))
            }
            Happening::FailoverStarted { to, across_zones: false } => {
                (72, "failover", format!("Started same AZ failover to DB instance: {to}"))
            }
            Happening::FailoverStarted { to, across_zones: true } => {
                (73, "failover", format!("Started cross AZ failover to DB instance: {to}"))
            }
            Happening::ClusterCreated => plain(170, "creation", "DB cluster created"),
            Happening::ClusterStopped => plain(150, "notification", "DB cluster stopped"),
            Happening::ClusterStarted => plain(151, "notification", "DB cluster started"),
            Happening::Shutdown => plain(4, "availability", "DB instance shutdown"),
            Happening::Restarted => plain(6, "availability", "DB instance restarted"),
            Happening::Created => plain(5, "creation", "DB instance created"),
            Happening::Deleted => plain(3, "deletion", "DB instance deleted"),
            Happening::Stopped => plain(87, "notification", "DB instance stopped"),
            Happening::Started => plain(88, "notification", "DB instance started"),
            Happening::RecoveryStarted => plain(
                20,
                "recovery",
                "Recovery of the DB instance has started. Recovery time will vary with the amount of data to be recovered.",
            ),
            Happening::RecoveryDone => plain(21, "recovery", "Recovery of the DB instance is complete."),
            Happening::Reconnected => plain(
                0,
                "read replica",
                "Read replica has been disconnected from the writer instance and reconnected.",
            ),
        }
    }
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Source::Cluster => "db-cluster",
            Source::Instance => "db-instance",
        }
    }
}

impl Event {
    pub(super) fn new(source: Source, name: &str, arn: String, happening: Happening) -> Event {
        Event { time: Utc::now(), source, name: name.to_owned(), arn, happening }
    }

    /// A line for whoever runs the control plane.
    pub(super) fn line(&self) -> String {
        match self.happening.facts() {
            (0, _, message) => format!("{}: {message}", self.name),
            (number, _, message) => format!("{}: {message} (RDS-EVENT-{number:04})", self.name),
        }
    }

    fn element(&self) -> Element {
        let (_, category, message) = self.happening.facts();
        group(
            "Event",
            vec![
                text("SourceIdentifier", &self.name),
                text("SourceType", self.source.as_str()),
                text("Message", message),
                group("EventCategories", vec![text("EventCategory", category)]),
                text("Date", stamp(self.time)),
                text("SourceArn", &self.arn),
            ],
        )
    }
}

impl Log {
    pub(super) fn add(&mut self, event: Event) {
        self.0.retain(|old| event.time - old.time < KEPT);
        self.0.push(event);
    }

    /// `DescribeEvents`.
    pub(super) fn describe(&self, params: &Params) -> Result<Vec<Element>, Refusal> {
        let source = params.get("SourceType");
        let name = params.get("SourceIdentifier").map(str::to_ascii_lowercase);
        if name.is_some() && source.is_none() {
            return Err(Refusal::combination("SourceIdentifier needs a SourceType."));
        }
        let end = time(params, "EndTime")?.unwrap_or_else(Utc::now);
        let minutes = params.number::<u32>("Duration")?.unwrap_or(60);
        if minutes > LONGEST {
            return Err(Refusal::value(format!(
                "Duration must be at most {LONGEST} minutes, not {minutes}."
            )));
        }
        // Before the first day that there is, there is nothing.
        let earlier = || end.checked_sub_signed(TimeDelta::minutes(minutes.into()));
        let start = time(params, "StartTime")?.or_else(earlier).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let categories = params.list("EventCategories", "EventCategory");
        let asked_for = |event: &&Event| {
            (start..=end).contains(&event.time)
                && source.is_none_or(|source| source == event.source.as_str())
                && name.as_ref().is_none_or(|name| *name == event.name)
                && (categories.is_empty() || categories.contains(&event.happening.facts().1))
        };
        let found: Vec<Element> = self.0.iter().filter(asked_for).map(Event::element).collect();
        page("Events", found, params)
    }
}

/// As the API writes times.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn time(params: &Params, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
    let wrong = |text: &str| Refusal::value(format!("{name} is no time of ISO 8601: {text}"));
    let parse = |text: &str| {
        // Without a zone it is UTC.
        text.parse().or_else(|_| format!("{text}Z").parse()).map_err(|_| wrong(text))
    };
    params.get(name).map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        let mut log = Log::default();
        let mut add = |source, name: &str, happening| {
            log.add(Event::new(source, name, format!("arn:{name}"), happening));
        };
        add(Source::Cluster, "c", Happening::FailoverDone { to: "i-2".to_owned() });
        add(Source::Instance, "i-1", Happening::Restarted);
        add(Source::Instance, "i-2", Happening::Reconnected);
        log
    }

    fn found(query: &str) -> Result<usize, &'static str> {
        let answer = log().describe(&Params::parse(query, b"")).map_err(|refusal| refusal.code)?;
        let Some(Element::Group(_, events)) = answer.into_iter().next() else { return Ok(0) };
        Ok(events.len())
    }

    #[test]
    fn what_is_asked_for_and_nothing_else() {
        assert_eq!(found(""), Ok(3));
        assert_eq!(found("SourceType=db-instance"), Ok(2));
        assert_eq!(found("SourceType=db-instance&SourceIdentifier=I-1"), Ok(1));
        assert_eq!(found("EventCategories.EventCategory.1=failover"), Ok(1));
        assert_eq!(found("StartTime=2999-01-01T00:00:00"), Ok(0));
        assert_eq!(found("EndTime=2020-01-01T00:00:00Z&Duration=5"), Ok(0));
        assert_eq!(found("Duration=20160"), Ok(3));
        assert_eq!(found("Duration=20161"), Err("InvalidParameterValue"));
        assert_eq!(found("EndTime=-262143-01-01T00:00:00Z&Duration=20160"), Ok(0));
        assert_eq!(found("SourceIdentifier=c"), Err("InvalidParameterCombination"));
        assert_eq!(found("StartTime=yesterday"), Err("InvalidParameterValue"));
    }

    #[test]
    fn people_are_told_the_number() {
        let lines: Vec<String> = log().0.iter().map(Event::line).collect();
        assert_eq!(
            lines,
            [
                "c: Completed failover to DB instance: i-2 (RDS-EVENT-0071)",
                "i-1: DB instance restarted (RDS-EVENT-0006)",
                "i-2: Read replica has been disconnected from the writer instance and reconnected.",
            ]
        );
    }
}
