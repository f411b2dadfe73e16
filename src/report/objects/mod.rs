//! What a history of single objects shows: whether each is linearizable, and if not, the few calls that show it.

mod page;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use super::Look;
use super::json::{document, written_schema};
use super::outcome::Tone;
use super::terminal::sheet::Sheet;
use super::words::{CUT, count, plain, plural};
use crate::check::Verdict;
use crate::check::linear::{Doubt, Evidence, Linear, Linearity};
use crate::history::txn::Status;
use crate::history::{Nanos, NodeName};

pub use page::{html, svg};

/// The most objects whose calls are shown.
const SHOWN: usize = 5;

/// What kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// Read, written, compared and set.
    Register,
    /// Added to, and read.
    Counter,
    /// Added to, and read as a whole.
    Set,
    /// A list or a register of transactions, each of which is one operation on it.
    Key,
}

/// What a history of objects shows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Objects {
    /// The file.
    pub file: String,
    /// What kind of objects.
    pub object: Object,
    /// `pass`: each is linearizable.
    pub verdict: Verdict,
    /// As a process ends: 0 linearizable, 1 not, 3 unknown.
    pub exit_code: u8,
    /// How many objects there are.
    pub objects: u64,
    /// Calls of all of them.
    pub calls: u64,
    /// Of these, acknowledged.
    pub acknowledged: u64,
    /// The objects that are not linearizable.
    pub not_linearizable: Vec<Failing>,
    /// Those of which nothing can be said, each with why.
    pub unknown: Vec<String>,
}

/// An object that is not linearizable.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Failing {
    /// Which one.
    pub name: String,
    /// Calls that certainly came before those that show it.
    pub before: u64,
    /// A few calls that have no order.
    pub window: Vec<CallReport>,
}

/// A call of such a window.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CallReport {
    /// Who called.
    pub process: u32,
    /// Where.
    pub node: String,
    /// When it was invoked, in nanoseconds.
    pub start: Nanos,
    /// When it completed.
    pub end: Nanos,
    /// Whether it was acknowledged; where not, it may have had an effect, and may have it later than `end`.
    pub is_acknowledged: bool,
    /// What it did.
    pub call: String,
}

impl CallReport {
    /// For a terminal.
    pub(super) fn line(&self) -> String {
        let CallReport { process, node, start, end, call, .. } = self;
        let (start, end) = (start.as_millis_f64(), end.as_millis_f64());
        format!("process {process} on {}, {start:.3} to {end:.3} ms: {}", plain(node), plain(call))
    }
}

/// Who called, where, when, how it ended, and what.
type Shown = (u32, NodeName, [Nanos; 2], Status, String);

impl Objects {
    /// What `found` says of objects called `names`; `shown` tells of a call.
    pub fn new(
        object: Object,
        file: &str,
        calls: u64,
        found: &Linear,
        names: &[String],
        shown: impl Fn(u32) -> Shown,
    ) -> Objects {
        let name = |key: u32| names.get(key as usize).cloned().unwrap_or_default();
        let mut objects = Objects {
            file: file.to_owned(),
            object,
            verdict: found.verdict(),
            exit_code: match found.verdict() {
                Verdict::Pass => 0,
                Verdict::Fail => 1,
                Verdict::Unknown => 3,
            },
            objects: found.keys.len() as u64,
            calls,
            acknowledged: found.acknowledged,
            not_linearizable: Vec::new(),
            unknown: Vec::new(),
        };
        for (key, linearity) in &found.keys {
            match linearity {
                Linearity::Linearizable => {}
                Linearity::NotLinearizable(evidence) => {
                    objects.not_linearizable.push(Failing::new(name(*key), evidence, &shown));
                }
                Linearity::Unknown(doubt) => {
                    objects.unknown.push(format!("{}: {}", name(*key), words(*doubt)));
                }
            }
        }
        objects
    }

    /// Of a file that was cut: what is not refuted as far as it goes is unknown.
    pub fn of_cut(mut self) -> Objects {
        self.unknown.push(CUT.to_owned());
        if self.verdict == Verdict::Pass {
            (self.verdict, self.exit_code) = (Verdict::Unknown, 3);
        }
        self
    }
}

impl Failing {
    fn new(name: String, evidence: &Evidence, shown: &impl Fn(u32) -> Shown) -> Failing {
        let call = |&number: &u32| {
            let (process, node, [start, end], status, call) = shown(number);
            let (node, is_acknowledged) = (node.as_str().to_owned(), status == Status::Ok);
            CallReport { process, node, start, end, is_acknowledged, call }
        };
        Failing {
            name,
            before: evidence.before.len() as u64,
            window: evidence.window.iter().map(call).collect(),
        }
    }
}

fn words(doubt: Doubt) -> String {
    match doubt {
        Doubt::Budget(budget) => {
            format!("neither an order nor that there is none was found in {} steps", count(budget))
        }
        Doubt::LeftOut(left) => {
            format!("{} with several operations on it", plural(u64::from(left), "transaction"))
        }
        Doubt::Mixed => "used as a list and as a register".to_owned(),
    }
}

/// What was found as one pretty-printed JSON document.
pub fn json(found: &Objects) -> String {
    document(found)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/objects.schema.json`.
pub fn schema() -> String {
    written_schema::<Objects>()
}

/// What was found for a terminal, ending in a line break. The last line names what decided it and the exit code.
pub fn terminal(found: &Objects, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = headline(found);
    sheet.headline(tone, word, &plain(&found.file));
    sheet.title("WHAT IS THERE");
    sheet.paragraph("· ", &contents(found));
    if !found.not_linearizable.is_empty() {
        sheet.title("CALLS THAT HAVE NO ORDER");
        for failing in found.not_linearizable.iter().take(SHOWN) {
            sheet.paragraph("", &plain(&format!("{}{}", failing.name, after(failing))));
            failing.window.iter().for_each(|call| sheet.paragraph("  · ", &call.line()));
        }
        if found.not_linearizable.len() > SHOWN {
            let more = plural((found.not_linearizable.len() - SHOWN) as u64, "more object");
            sheet.remark(&format!("{more}: --format json has them all"));
        }
    }
    if !found.unknown.is_empty() {
        sheet.title("NOT JUDGED");
        found.unknown.iter().take(SHOWN).for_each(|line| sheet.paragraph("· ", &plain(line)));
    }
    sheet.verdict(tone, word, &decisive(found), found.exit_code);
    sheet.finish()
}

fn headline(found: &Objects) -> (&'static str, Tone) {
    match found.verdict {
        Verdict::Pass => ("LINEARIZABLE", Tone::Good),
        Verdict::Unknown => ("UNKNOWN", Tone::Unknown),
        Verdict::Fail => ("NOT LINEARIZABLE", Tone::Bad),
    }
}

fn contents(found: &Objects) -> String {
    let calls = plural(found.calls, "call");
    format!("{calls} of {}, {} acknowledged", plural(found.objects, "object"), count(found.acknowledged))
}

fn decisive(found: &Objects) -> String {
    match found.verdict {
        Verdict::Pass => "each object's calls have an order in which every answer is right".to_owned(),
        Verdict::Unknown if found.acknowledged == 0 => "no call was acknowledged".to_owned(),
        Verdict::Unknown if found.unknown == [CUT] => "the file was cut".to_owned(),
        Verdict::Unknown => format!("{} could not be judged", plural(found.unknown.len() as u64, "object")),
        Verdict::Fail => {
            format!(
                "{} of {} not linearizable",
                count(found.not_linearizable.len() as u64),
                count(found.objects)
            )
        }
    }
}

/// How many calls certainly came before.
fn after(failing: &Failing) -> String {
    match failing.before {
        0 => String::new(),
        before => format!(", after {}", plural(before, "call")),
    }
}
