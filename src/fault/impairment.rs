//! What Aurora is asked to simulate, as text: `percent=50,for=10s,index=2,node,min=10ms,max=50ms`.

use crate::history::{Action, Congestion, DiskFailure, Nanos, ReplicaFailure};
use crate::suggest::hint;

use super::{duration, format_duration};

const SECOND: Nanos = Nanos::from_millis(1_000);
/// A reader that fails for longer may be replaced by Aurora.
const LONGEST: Nanos = Nanos::from_millis(3_600_000);
/// The most that Aurora delays a request by.
const LONGEST_DELAY: Nanos = Nanos::from_millis(100);

/// Reads the arguments of `inject-replica-failure`.
pub(super) fn replica_failure(words: &[&str]) -> Result<ReplicaFailure, String> {
    let given = Given::read("inject-replica-failure", words, &["percent", "for"])?;
    Ok(ReplicaFailure { percent: given.percent()?, length: given.length()? })
}

/// Reads the arguments of `inject-disk-failure`.
pub(super) fn disk_failure(words: &[&str]) -> Result<DiskFailure, String> {
    Given::read("inject-disk-failure", words, &["percent", "for", "index", "node"])?.disk()
}

/// Reads the arguments of `inject-disk-congestion`.
pub(super) fn congestion(words: &[&str]) -> Result<Congestion, String> {
    let keys = ["percent", "for", "index", "node", "min", "max"];
    let given = Given::read("inject-disk-congestion", words, &keys)?;
    let (example, failure) = (Congestion::EXAMPLE, given.disk()?);
    let longest = given.delay("max", example.longest)?;
    let shortest = given.delay("min", example.shortest.min(longest))?;
    if shortest > longest {
        return Err("the shortest delay (min) is longer than the longest (max)".to_owned());
    }
    Ok(Congestion { failure, shortest, longest })
}

/// Writes the arguments such that the same are read again, each after a comma; nothing for other actions.
pub(super) fn format(action: Action) -> String {
    let common = |percent: u8, length| format!(",percent={percent},for={}", format_duration(length));
    let disk = |failure: DiskFailure| {
        let node = if failure.of_node { ",node" } else { "" };
        format!("{},index={}{node}", common(failure.percent, failure.length), failure.index)
    };
    match action {
        Action::InjectReplicaFailure(failure) => common(failure.percent, failure.length),
        Action::InjectDiskFailure(failure) => disk(failure),
        Action::InjectDiskCongestion(Congestion { failure, shortest, longest }) => {
            format!("{},min={},max={}", disk(failure), format_duration(shortest), format_duration(longest))
        }
        _ => String::new(),
    }
}

/// Arguments by key, in any order.
struct Given<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Given<'a> {
    fn read(verb: &str, words: &[&'a str], known: &[&str]) -> Result<Given<'a>, String> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for word in words {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            let (key, value) = (key.trim(), value.trim());
            if !known.contains(&key) || (key == "node") != value.is_empty() {
                let hint =
                    if known.contains(&key) { String::new() } else { hint(key, known.iter().copied()) };
                let known = known.join(", ");
                return Err(format!(
                    "`{verb}` does not take `{word}`{hint}; known are {known}, as percent=50"
                ));
            }
            if pairs.iter().any(|(other, _)| *other == key) {
                return Err(format!("`{word}` says again what was said before"));
            }
            pairs.push((key, value));
        }
        Ok(Given { pairs })
    }

    fn take(&self, key: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }

    fn percent(&self) -> Result<u8, String> {
        let Some(text) = self.take("percent") else { return Ok(100) };
        let percent = text.parse().ok().filter(|percent| (1..=100).contains(percent));
        percent.ok_or_else(|| format!("`{text}` is not a percentage: a whole number from 1 to 100"))
    }

    fn length(&self) -> Result<Nanos, String> {
        let text = self.take("for").ok_or("it does not say for how long: for=10s")?;
        let length = duration(text).map_err(|error| error.to_string())?;
        if (SECOND..=LONGEST).contains(&length) && length.0.is_multiple_of(SECOND.0) {
            Ok(length)
        } else {
            Err(format!("it lasts for whole seconds, from 1s to 1h, and not for {text}"))
        }
    }

    fn disk(&self) -> Result<DiskFailure, String> {
        let index = match self.take("index") {
            Some(text) => text.parse().map_err(|_| format!("`{text}` is not an index: a whole number"))?,
            None => 0,
        };
        let of_node = self.take("node").is_some();
        Ok(DiskFailure { percent: self.percent()?, index, of_node, length: self.length()? })
    }

    fn delay(&self, key: &str, default: Nanos) -> Result<Nanos, String> {
        let Some(text) = self.take(key) else { return Ok(default) };
        let delay = duration(text).map_err(|error| error.to_string())?;
        if delay > LONGEST_DELAY { Err(format!("a delay of {text} is longer than 100ms")) } else { Ok(delay) }
    }
}

#[cfg(test)]
mod tests {
    use crate::fault::Schedule;

    #[test]
    fn what_is_typed_is_written_with_everything_that_it_means() {
        let text = "inject-replica-failure(replica-1,for=10s)@1s,inject-disk-failure(writer,node, index=3, percent=20,for=2s)@2s,inject-disk-congestion(primary,for=1m,max=5ms)@3s";
        let schedule: Schedule = text.parse().unwrap();
        insta::assert_snapshot!(schedule, @"inject-replica-failure(replica-1,percent=100,for=10s)@1s,inject-disk-failure(writer,percent=20,for=2s,index=3,node)@2s,inject-disk-congestion(primary,percent=100,for=1m,index=0,min=5ms,max=5ms)@3s");
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let say = |text: &str| format!("{text}@1s").parse::<Schedule>().unwrap_err().problem;
        insta::assert_snapshot!(say("inject-replica-failure(replica-1)"), @"it does not say for how long: for=10s");
        insta::assert_snapshot!(say("inject-replica-failure(replica-1,for=1500ms)"), @"it lasts for whole seconds, from 1s to 1h, and not for 1500ms");
        insta::assert_snapshot!(say("inject-replica-failure(replica-1,for=1s,index=3)"), @"`inject-replica-failure` does not take `index=3`; known are percent, for, as percent=50");
        insta::assert_snapshot!(say("inject-disk-failure(primary,for=1s,percent=0)"), @"`0` is not a percentage: a whole number from 1 to 100");
        insta::assert_snapshot!(say("inject-disk-failure(primary,for=1s,node=2)"), @"`inject-disk-failure` does not take `node=2`; known are percent, for, index, node, as percent=50");
        insta::assert_snapshot!(say("inject-disk-failure(primary,for=1s,index=x)"), @"`x` is not an index: a whole number");
        insta::assert_snapshot!(say("inject-disk-congestion(primary,for=1s,for=2s)"), @"`for=2s` says again what was said before");
        insta::assert_snapshot!(say("inject-disk-congestion(primary,for=1s,max=1s)"), @"a delay of 1s is longer than 100ms");
        insta::assert_snapshot!(say("inject-disk-congestion(primary,for=1s,min=9ms,max=5ms)"), @"the shortest delay (min) is longer than the longest (max)");
    }
}
