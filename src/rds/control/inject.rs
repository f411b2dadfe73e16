//! What `aurora_inject_…` asks for. The functions leave a file beside the data, which works on a reader too, and here it is
//! found.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch as channel;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Control, lock};
use crate::history::{Action, Condition, NodeName};

/// How the files' names begin.
const PREFIX: &str = "replab_aurora_request.";

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A failure of a part of the replication is one of all of it for a part of each of these.
const PERIOD: Duration = Duration::from_secs(1);

/// What is asked for, by the server `node`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Request {
    node: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "inject", rename_all = "kebab-case")]
enum What {
    Crash,
    ReplicaFailure {
        /// 0 to 100.
        percentage: f64,
        seconds: u32,
        /// An instance; empty means every reader.
        replica: String,
    },
}

impl Control {
    /// Looks for requests for ever.
    pub(in crate::rds) async fn listen(self: Arc<Self>) {
        let mut known = BTreeSet::new();
        loop {
            sleep(LOOK).await;
            let mut asked = Vec::new();
            let mut wrong = BTreeSet::new();
            {
                let cluster = self.cluster.read().await;
                for endpoint in cluster.direct_endpoints() {
                    for text in cluster.take(endpoint.node, PREFIX) {
                        match text {
                            Ok(text) => asked.push((endpoint.node, text)),
                            Err(error) => drop(wrong.insert(error.to_string())),
                        }
                    }
                }
            }
            // What cannot be removed is there again at the next look.
            wrong.difference(&known).for_each(|error| self.say(error));
            known = wrong;
            for (node, text) in asked {
                self.heed(node, &text).await;
            }
        }
    }

    async fn heed(self: &Arc<Self>, node: NodeName, text: &str) {
        let request = match serde_json::from_str::<Request>(text) {
            Ok(request) => request,
            Err(error) => return self.say(format!("what {node} asks for cannot be read: {error}")),
        };
        // A copy of a server's data holds what the server itself had asked for.
        if request.node != node.as_str() {
            return;
        }
        match request.what {
            What::Crash => {
                self.say(format!("{node} asks for its crash"));
                let control = Arc::clone(self);
                self.spawn(async move { control.restart(node, Action::Crash).await });
            }
            What::ReplicaFailure { percentage, seconds, replica } => {
                let Ok(writer) = self.writer().await else { return };
                let readers: Vec<NodeName> = {
                    let fleet = self.fleet();
                    let is_meant = |name: &str| replica.is_empty() || name.eq_ignore_ascii_case(&replica);
                    fleet
                        .readers(writer)
                        .filter(|member| is_meant(&member.name))
                        .map(|member| member.node)
                        .collect()
                };
                let part = (percentage / 100.0).clamp(0.0, 1.0);
                for reader in readers {
                    // A second one takes the place of the first.
                    self.end_failure(reader).await;
                    let (control, lasting) = (Arc::clone(self), Duration::from_secs(seconds.into()));
                    let (stop, stopped) = channel::channel(());
                    // First, so that whoever ends all failures ends this one.
                    lock(&self.failing).insert(reader, stop);
                    self.spawn(async move { control.fail(reader, part, lasting, stopped).await });
                }
            }
        }
    }

    /// Has a reader fall behind for `part` of every second, until it is told to stop.
    async fn fail(&self, reader: NodeName, part: f64, lasting: Duration, mut stop: channel::Receiver<()>) {
        self.say(format!("{reader} fails {:.0} % of the time for {} s", part * 100.0, lasting.as_secs()));
        let end = Instant::now() + lasting;
        let mut until = async |time: Instant| {
            tokio::select! {
                () = sleep_until(time.min(end)) => Instant::now() < end,
                _ = stop.changed() => false,
            }
        };
        loop {
            let begin = Instant::now();
            if let Err(error) = self.act(reader, Action::PauseReplay).await
                && !self.is_paused(reader).await
            {
                return self.say(format!("{reader} does not fail: {error:#}"));
            }
            let mut goes_on = until(begin + PERIOD.mul_f64(part)).await;
            if part < 1.0 || !goes_on {
                self.resume(reader).await;
            }
            goes_on = goes_on && until(begin + PERIOD).await;
            if !goes_on {
                return self.resume(reader).await;
            }
        }
    }

    async fn is_paused(&self, node: NodeName) -> bool {
        self.cluster.read().await.conditions().contains(&(node, Condition::ReplayPaused))
    }

    async fn resume(&self, node: NodeName) {
        if self.is_paused(node).await
            && let Err(error) = self.act(node, Action::ResumeReplay).await
        {
            self.say(format!("the replay of {node} does not go on: {error:#}"));
        }
    }

    /// Ends whatever was injected and lasts: something else is about to be done.
    pub(super) async fn end_failures(&self) {
        let failing: Vec<NodeName> = lock(&self.failing).keys().copied().collect();
        for node in failing {
            self.end_failure(node).await;
        }
    }

    async fn end_failure(&self, node: NodeName) {
        let stop = lock(&self.failing).remove(&node);
        if let Some(stop) = stop {
            stop.send_replace(());
            // Until its replay goes on.
            stop.closed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_as_the_functions_write_them() {
        let crash = r#"{"node": "primary", "kind": "instance", "inject": "crash"}"#;
        let crash: Request = serde_json::from_str(crash).unwrap();
        assert_eq!(crash, Request { node: "primary".to_owned(), what: What::Crash });
        let failure = r#"{"node": "replica-1", "inject": "replica-failure", "percentage": 50, "seconds": 3, "replica": ""}"#;
        let failure: Request = serde_json::from_str(failure).unwrap();
        let what = What::ReplicaFailure { percentage: 50.0, seconds: 3, replica: String::new() };
        assert_eq!(failure.what, what);
        assert!(serde_json::from_str::<Request>(r#"{"node": "primary", "inject": "disk"}"#).is_err());
    }
}
