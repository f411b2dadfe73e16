//! From settings to the workloads of a plan.

use super::settings::Settings;
use super::validate::{Check, all};
use super::workloads::{BankPlan, CounterPlan, OrdersPlan, SetPlan, TransactionsPlan, WorkloadPlan};
use crate::suggest::hint;

/// Above this, a laptop has no file descriptors and PostgreSQL no connections left.
const MAX_CLIENTS: i64 = 1_000;

impl Check<'_> {
    /// Those that are named. All sections are looked at, also of those that are not.
    pub(super) fn workloads(&mut self, settings: &Settings) -> Option<Vec<WorkloadPlan>> {
        let names = self.names(&settings.load.workloads);
        let orders = self.orders(settings);
        let counter = self.counter(settings);
        let counters = self.number("counters.clients", settings.counters.clients, 1..=MAX_CLIENTS);
        let transactions = self.transactions(settings);
        let bank = self.bank(settings, names.is_some_and(|names| names.iter().any(|name| name == "bank")));
        let set = self.number("set.clients", settings.set.clients, 1..=MAX_CLIENTS);
        let names = names?;
        let (orders, counter, clients, transactions) = (orders?, counter?, counters?, transactions?);
        let all = [
            WorkloadPlan::Orders(orders),
            WorkloadPlan::Counter(counter),
            WorkloadPlan::Counters(CounterPlan { clients, keys: clients }),
            WorkloadPlan::Append(transactions.clone()),
            WorkloadPlan::Register(transactions),
            WorkloadPlan::LongFork,
            WorkloadPlan::Bank(bank?),
            WorkloadPlan::Set(SetPlan { clients: set? }),
        ];
        Some(all.into_iter().filter(|one| names.iter().any(|name| name == one.name())).collect())
    }

    fn names<'s>(&mut self, names: &'s [String]) -> Option<&'s [String]> {
        let known = WorkloadPlan::NAMES;
        if names.is_empty() {
            return self.problem("load.workloads", format!("name at least one of {}", known.join(", ")));
        }
        let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) else {
            return Some(names);
        };
        let near = hint(name, known);
        let message = format!("`{name}` is not a workload{near}; known are {}", known.join(", "));
        self.problem("load.workloads", message)
    }

    fn orders(&mut self, settings: &Settings) -> Option<OrdersPlan> {
        let orders = &settings.orders;
        let clients = self.number("orders.clients", orders.clients, 1..=MAX_CLIENTS);
        let products = self.number("orders.products", orders.products, 1..=100_000);
        let stock = orders.stock.map(|stock| self.number("orders.stock", stock, 1..=1_000_000_000));
        Some(OrdersPlan { clients: clients?, products: products?, stock: all(stock)? })
    }

    fn counter(&mut self, settings: &Settings) -> Option<CounterPlan> {
        let clients = self.number("counter.clients", settings.counter.clients, 1..=MAX_CLIENTS);
        let keys = self.number("counter.keys", settings.counter.keys, 1..=100_000);
        Some(CounterPlan { clients: clients?, keys: keys? })
    }

    fn transactions(&mut self, settings: &Settings) -> Option<TransactionsPlan> {
        let given = &settings.transactions;
        let clients = self.number("transactions.clients", given.clients, 1..=MAX_CLIENTS);
        let keys = self.number("transactions.keys", given.keys, 1..=100_000);
        // A list that is read and written whole takes time with the square of its length.
        let writes = self.number("transactions.writes_per_key", given.writes_per_key, 1..=10_000);
        let length = self.number("transactions.length", given.length, 1..=64);
        let isolation = self.take("transactions.isolation", given.isolation.parse());
        Some(TransactionsPlan {
            clients: clients?,
            keys: keys?,
            writes_per_key: writes?,
            length: length?,
            isolation: isolation?,
        })
    }

    fn bank(&mut self, settings: &Settings, runs: bool) -> Option<BankPlan> {
        let given = &settings.bank;
        let clients = self.number("bank.clients", given.clients, 1..=MAX_CLIENTS);
        // A lone key, or very many, may be meant for another workload: `--keys` is one for all.
        let fewest = if runs { 2 } else { 1 };
        let accounts = self.number("bank.accounts", given.accounts, fewest..=100_000);
        let balance = self.number("bank.balance", given.balance, 0..=1_000_000_000);
        let isolation = self.take("bank.isolation", given.isolation.parse());
        Some(BankPlan { clients: clients?, accounts: accounts?, balance: balance?, isolation: isolation? })
    }
}
