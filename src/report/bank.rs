//! What a history of a bank shows: whether all accounts together always hold the same, and if not, a read that shows it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Look;
use super::json::{document, written_schema};
use super::objects::CallReport;
use super::outcome::Tone;
use super::terminal::sheet::Sheet;
use super::words::{count, plain, plural};
use crate::check::Verdict;
use crate::check::bank::{self, Anomaly, Found, Rules, Total};
use crate::history::txn::{Status, Value};
use crate::history::{Nanos, NodeName};

/// Where a total is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TotalFrom {
    /// Whoever asked told it.
    Given,
    /// More reads have it than any other.
    Reads,
    /// Nobody told it, and there are no two reads to compare.
    Untold,
}

/// What a history of a bank shows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Bank {
    /// The file.
    pub file: String,
    /// `pass`: nothing in this history refutes it.
    pub verdict: Verdict,
    /// As a process ends: 0 not refuted, 1 refuted, 3 unknown.
    pub exit_code: u8,
    /// What all accounts hold together, a decimal number.
    pub total: Option<String>,
    /// How that is known.
    pub total_from: TotalFrom,
    /// Acknowledged reads.
    pub reads: u64,
    /// Of these, with the total.
    pub reads_with_total: u64,
    /// Acknowledged transfers.
    pub transfers: u64,
    /// Transfers that certainly did not happen.
    pub transfers_failed: u64,
    /// Transfers of unknown outcome.
    pub transfers_unknown: u64,
    /// The names of the anomalies that are there, as Jepsen has them.
    pub anomaly_types: Vec<String>,
    /// The same, with how often each is there and the read that shows it best.
    pub anomalies: Vec<BankAnomaly>,
    /// What each node's readers saw, where there is more than one.
    pub nodes: Vec<BankNode>,
    /// What nobody looked at.
    pub not_checked: Vec<String>,
}

/// One kind of anomaly.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BankAnomaly {
    /// As Jepsen calls it.
    pub name: String,
    /// In one sentence.
    pub meaning: String,
    /// How many reads have it.
    pub count: u64,
    /// The read with the fewest such accounts, or whose total is off by the least.
    pub read: CallReport,
    /// What is wrong with it.
    pub because: String,
    /// Of a wrong total: a transfer of which it may have seen one half.
    pub transfer: Option<CallReport>,
}

/// What one node's readers saw.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BankNode {
    /// The node.
    pub name: String,
    /// Acknowledged reads there.
    pub reads: u64,
    /// Of these, with an anomaly.
    pub wrong: u64,
}

impl Bank {
    /// What `found` says under `rules`; `show` tells of an account, `shown` of a call: who, where, when and what.
    pub fn new(
        file: &str,
        found: &bank::Bank,
        rules: &Rules,
        show: impl Fn(Value) -> String,
        shown: impl Fn(u32) -> (u32, NodeName, [Nanos; 2], Status, String),
    ) -> Bank {
        let call = |number: u32| {
            let (process, node, [start, end], status, call) = shown(number);
            let is_acknowledged = status == Status::Ok;
            CallReport { process, node: node.as_str().to_owned(), start, end, is_acknowledged, call }
        };
        let anomaly = |one: &Found| BankAnomaly {
            name: one.anomaly.name().to_owned(),
            meaning: one.anomaly.meaning().to_owned(),
            count: one.count,
            read: call(one.call),
            because: because(one, found.total, &show),
            transfer: one.half.map(call),
        };
        let wrong_totals = found.found.iter().find(|one| one.anomaly == Anomaly::WrongTotal);
        let comparable = match found.total {
            Total::Most { of, .. } => of,
            Total::Given(_) => found.comparable - wrong_totals.map_or(0, |one| one.count),
            Total::Untold => 0,
        };
        let [transfers, transfers_unknown, transfers_failed] = found.transfers;
        let anomalies: Vec<BankAnomaly> = found.found.iter().map(anomaly).collect();
        Bank {
            file: file.to_owned(),
            verdict: found.verdict(),
            exit_code: match found.verdict() {
                Verdict::Pass => 0,
                Verdict::Fail => 1,
                Verdict::Unknown => 3,
            },
            total: found.total.expected().map(|total| total.to_string()),
            total_from: match found.total {
                Total::Given(_) => TotalFrom::Given,
                Total::Most { .. } => TotalFrom::Reads,
                Total::Untold => TotalFrom::Untold,
            },
            reads: found.reads,
            reads_with_total: comparable,
            transfers,
            transfers_failed,
            transfers_unknown,
            anomaly_types: anomalies.iter().map(|anomaly| anomaly.name.clone()).collect(),
            anomalies,
            nodes: nodes(&found.nodes),
            not_checked: not_checked(found, rules),
        }
    }
}

fn because(one: &Found, total: Total, show: impl Fn(Value) -> String) -> String {
    let accounts: Vec<String> = one
        .accounts
        .iter()
        .map(|&(account, balance)| {
            format!("{} {}", show(account), balance.map_or("nil".to_owned(), |held| held.to_string()))
        })
        .collect();
    match (one.total, total.expected()) {
        (Some(seen), Some(expected)) => {
            let less_or_more = if seen < expected { "less" } else { "more" };
            format!("its total is {seen}, {} {less_or_more} than {expected}", seen.abs_diff(expected))
        }
        _ => format!("it has {}", accounts.join(", ")),
    }
}

fn nodes(all: &BTreeMap<NodeName, bank::Node>) -> Vec<BankNode> {
    let one = |(name, node): (&NodeName, &bank::Node)| BankNode {
        name: name.as_str().to_owned(),
        reads: node.reads,
        wrong: node.wrong,
    };
    if all.len() > 1 { all.iter().map(one).collect() } else { Vec::new() }
}

fn not_checked(found: &bank::Bank, rules: &Rules) -> Vec<String> {
    let mut all = vec![
        "Which transfers each read contains: only its total is compared, so that stale reads, long forks and transfers that \
         were lost as a whole do not show."
            .to_owned(),
        "Accounts that a read lacks: they count as if they held nothing.".to_owned(),
    ];
    match found.total {
        Total::Given(_) => {}
        Total::Most { .. } => all.push(
            "Whether the accounts began with that total: the reads tell it. --total compares with what you know.".to_owned(),
        ),
        Total::Untold => all.push(
            "The total: there are no two reads to compare with each other. --total compares with what you know.".to_owned(),
        ),
    }
    if found.comparable < found.reads {
        let left = plural(found.reads - found.comparable, "read");
        all.push(format!("The total of {left} with accounts that are unexpected, or nil."));
    }
    if rules.may_be_negative {
        all.push("Balances that are less than zero: they are allowed here.".to_owned());
    }
    all
}

/// What was found as one pretty-printed JSON document.
pub fn json(found: &Bank) -> String {
    document(found)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/bank.schema.json`.
pub fn schema() -> String {
    written_schema::<Bank>()
}

/// What was found for a terminal, ending in a line break. The last line names what decided it and the exit code.
pub fn terminal(found: &Bank, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = match found.verdict {
        Verdict::Pass => ("NOT REFUTED", Tone::Good),
        Verdict::Unknown => ("UNKNOWN", Tone::Unknown),
        Verdict::Fail => ("REFUTED", Tone::Bad),
    };
    sheet.headline(tone, word, &format!("a bank keeps its total: {}", plain(&found.file)));
    sheet.title("WHAT IS THERE");
    sheet.paragraph("· ", &contents(found));
    sheet.paragraph("· ", &total(found));
    if !found.anomalies.is_empty() {
        sheet.title("ANOMALIES");
        let widest = found.anomalies.iter().map(|anomaly| anomaly.name.len()).max().unwrap_or(0);
        for anomaly in &found.anomalies {
            let text = format!("{}: {}", count(anomaly.count), anomaly.meaning);
            sheet.item(Tone::Bad, widest, &anomaly.name, &text);
        }
        sheet.title("THE SMALLEST OF EACH");
        for anomaly in &found.anomalies {
            sheet.paragraph("", &anomaly.name);
            sheet.paragraph("  · ", &anomaly.read.line());
            sheet.paragraph("    ", &plain(&anomaly.because));
            if let Some(transfer) = &anomaly.transfer {
                sheet.paragraph("    ", "it is as if one half of this had been seen:");
                sheet.paragraph("  · ", &transfer.line());
            }
        }
    }
    if !found.nodes.is_empty() {
        sheet.title("EACH NODE'S READERS");
        let header = ["node", "reads", "wrong"].map(str::to_owned);
        let row = |node: &BankNode| vec![plain(&node.name), count(node.reads), count(node.wrong)];
        let rows: Vec<Vec<String>> = found.nodes.iter().map(row).collect();
        sheet.table(&header, &rows, 1, &[]);
    }
    sheet.title("NOT CHECKED");
    found.not_checked.iter().for_each(|line| sheet.paragraph("· ", line));
    let decisive = match found.verdict {
        Verdict::Pass => format!("no counter-example in {}", plural(found.reads, "acknowledged read")),
        Verdict::Unknown if found.reads == 0 => "no read was acknowledged".to_owned(),
        Verdict::Unknown => "there are no two reads to compare".to_owned(),
        Verdict::Fail => {
            format!("{} in {}", found.anomaly_types.join(", "), plural(found.reads, "acknowledged read"))
        }
    };
    sheet.verdict(tone, word, &decisive, found.exit_code);
    sheet.finish()
}

fn contents(found: &Bank) -> String {
    format!(
        "{}; {} acknowledged, {} failed, {} of unknown outcome",
        plural(found.reads, "acknowledged read"),
        plural(found.transfers, "transfer"),
        count(found.transfers_failed),
        count(found.transfers_unknown),
    )
}

fn total(found: &Bank) -> String {
    let of = format!("{} of {}", count(found.reads_with_total), plural(found.reads, "read"));
    match (&found.total, found.total_from) {
        (Some(total), TotalFrom::Given) => format!("the total is {total}, as --total says: {of} have it"),
        (Some(total), _) => format!("the total is {total}, as the reads say: {of} have it"),
        (None, _) => "the total is not known".to_owned(),
    }
}
