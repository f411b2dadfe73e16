//! The workloads of a run, each with what it needs to know.

use super::settings::{
    BankSettings, CounterSettings, CountersSettings, OrdersSettings, SetSettings, Settings,
    TransactionsSettings,
};
use crate::isolation::Isolation;

/// A workload that runs.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkloadPlan {
    /// The order system.
    Orders(OrdersPlan),
    /// Counters that clients share, and readers that belong to one of them each.
    Counter(CounterPlan),
    /// A counter for each client, and readers of all of them: as many keys as clients.
    Counters(CounterPlan),
    /// Transactions that append to lists and read them.
    Append(TransactionsPlan),
    /// Transactions that write registers and read them.
    Register(TransactionsPlan),
    /// Rounds of two commits that readers of two nodes may see in opposite orders. There is nothing to choose.
    LongFork,
    /// Transfers between accounts, and readers of all of them.
    Bank(BankPlan),
    /// A set that grows, and readers of all of it.
    Set(SetPlan),
}

/// The order system.
#[derive(Clone, Debug, PartialEq)]
pub struct OrdersPlan {
    /// Clients that place orders.
    pub clients: u32,
    /// Products, from 1.
    pub products: u32,
    /// Units of each product; `None`: the seed document's for the first three, plenty of each other.
    pub stock: Option<u32>,
}

/// The counters.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterPlan {
    /// Clients that increment.
    pub clients: u32,
    /// Counters, from 1.
    pub keys: u32,
}

/// Transactions on lists or registers.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionsPlan {
    /// Clients that read and write.
    pub clients: u32,
    /// Keys in use at the same time.
    pub keys: u32,
    /// Writes of a key before another one takes its place, about.
    pub writes_per_key: u32,
    /// The most micro-operations of a transaction.
    pub length: u32,
    /// Of the clients that write; readers of a replica have repeatable read where this is serializable.
    pub isolation: Isolation,
}

/// The bank.
#[derive(Clone, Debug, PartialEq)]
pub struct BankPlan {
    /// Clients that move money.
    pub clients: u32,
    /// Accounts, from 1.
    pub accounts: u32,
    /// What each of them holds at first.
    pub balance: u32,
    /// Of the transfers.
    pub isolation: Isolation,
}

/// The set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetPlan {
    /// Clients that insert.
    pub clients: u32,
}

impl WorkloadPlan {
    /// The names of all of them, in the order of reports.
    pub const NAMES: [&str; 8] =
        ["orders", "counter", "counters", "append", "register", "longfork", "bank", "set"];

    /// The level of the long fork's transactions: its readers see one snapshot, and that a replica has, too.
    pub const LONG_FORK_ISOLATION: Isolation = Isolation::RepeatableRead;

    /// What it is called on the command line, in files and in reports.
    pub fn name(&self) -> &'static str {
        match self {
            WorkloadPlan::Orders(_) => "orders",
            WorkloadPlan::Counter(_) => "counter",
            WorkloadPlan::Counters(_) => "counters",
            WorkloadPlan::Append(_) => "append",
            WorkloadPlan::Register(_) => "register",
            WorkloadPlan::LongFork => "longfork",
            WorkloadPlan::Bank(_) => "bank",
            WorkloadPlan::Set(_) => "set",
        }
    }

    /// Clients that write.
    pub fn clients(&self) -> u32 {
        match self {
            WorkloadPlan::Orders(plan) => plan.clients,
            WorkloadPlan::Counter(plan) | WorkloadPlan::Counters(plan) => plan.clients,
            WorkloadPlan::Append(plan) | WorkloadPlan::Register(plan) => plan.clients,
            WorkloadPlan::LongFork => 2,
            WorkloadPlan::Bank(plan) => plan.clients,
            WorkloadPlan::Set(plan) => plan.clients,
        }
    }

    /// The level at which its transactions run, where they are more than one statement on several keys.
    pub fn isolation(&self) -> Option<Isolation> {
        match self {
            WorkloadPlan::Append(plan) | WorkloadPlan::Register(plan) => Some(plan.isolation),
            WorkloadPlan::LongFork => Some(WorkloadPlan::LONG_FORK_ISOLATION),
            WorkloadPlan::Bank(plan) => Some(plan.isolation),
            WorkloadPlan::Orders(_)
            | WorkloadPlan::Counter(_)
            | WorkloadPlan::Counters(_)
            | WorkloadPlan::Set(_) => None,
        }
    }

    /// Writes its section. Those of workloads that do not run stay as the default file has them.
    pub(super) fn write(&self, settings: &mut Settings) {
        match self {
            WorkloadPlan::Orders(plan) => {
                settings.orders = OrdersSettings {
                    clients: plan.clients.into(),
                    products: plan.products.into(),
                    stock: plan.stock.map(i64::from),
                };
            }
            WorkloadPlan::Counter(plan) => {
                settings.counter = CounterSettings { clients: plan.clients.into(), keys: plan.keys.into() };
            }
            WorkloadPlan::Counters(plan) => {
                settings.counters = CountersSettings { clients: plan.clients.into() };
            }
            WorkloadPlan::Append(plan) | WorkloadPlan::Register(plan) => {
                settings.transactions = TransactionsSettings {
                    clients: plan.clients.into(),
                    keys: plan.keys.into(),
                    writes_per_key: plan.writes_per_key.into(),
                    length: plan.length.into(),
                    isolation: plan.isolation.name().to_owned(),
                };
            }
            WorkloadPlan::LongFork => {}
            WorkloadPlan::Set(plan) => settings.set = SetSettings { clients: plan.clients.into() },
            WorkloadPlan::Bank(plan) => {
                settings.bank = BankSettings {
                    clients: plan.clients.into(),
                    accounts: plan.accounts.into(),
                    balance: plan.balance.into(),
                    isolation: plan.isolation.name().to_owned(),
                };
            }
        }
    }
}
