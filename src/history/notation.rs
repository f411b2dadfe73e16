//! Histories as text, for tests: `0-5 3@replica-1 own 1/0 = 4; 6-9 0 inc 1 ?`.
//!
//! One operation a line (or a `;`): `[start-end] process[@node] operation [ending]`. Times are milliseconds; without
//! them an operation follows all before it. Without a node it is on the primary. Process ids are those of ten client
//! threads. Endings: `= reply`, `=w reply` (with a warning), `!` (failed), `?` (unknown), `...` (never completed);
//! `!` and `?` may name a cause: `refused`, `server`, `lost`, `cannot`, `deadline`.
//!
//! | operation | reply |
//! |---|---|
//! | `inc KEY`, `own KEY/WRITER` | value |
//! | `all` | `1,2,3` |
//! | `order` | order id |
//! | `stock` | `1:97+3 2:150+0 o1 d1`: product:stock+ordered, orders, details |
//! | `ledger AFTER` | `1/0 2/4 3/5x2`: order/process, with its number of details if that is not 1 |
//! | `digest TABLE` | `10@0/A0 0:10:aa`: rows, position, then bucket:rows:hash |
//! | `move FROM TO AMOUNT` | balances of the two: `95 105` |
//! | `read`, `audit` | `1:95 2:105`: account:balance |
//! | `insert ELEMENT` | nothing |
//! | `read`, `last` of a set | `1-5 7-9`: ranges |
//! | `a1.7 r2 w3.5`, `last r1 r2`: append, read, write | what was read: `[7,8]`, `[]`, `5`, `-` |
//! | `crash`, `kill`, `stop`, `stop-immediate`, `start`, `restart`, `answer`, `heal-start` by `nemesis` | anything |

use super::{
    Action, BankOp, BankReply, Bucket, Cause, CauseClass, Committed, CounterOp, CounterReply, Event, FaultOp,
    Header, History, LedgerLine, Micro, Nanos, NodeName, Observed, Occasion, Operation, OrdersOp,
    OrdersReply, Phase, Process, SetOp, SetReply, StockLine, StockSnapshot, Table, TableDigest, TxnOp,
    TxnReply,
};

/// Operations that have a text form.
pub(crate) trait Notation: Operation {
    const WORKLOAD: &'static str;
    fn op(words: &[&str]) -> Self;
    fn reply(&self, words: &[&str]) -> Self::Reply;
}

/// The history that `text` describes.
pub(crate) fn history<O: Notation>(text: &str) -> History<O> {
    let mut events: Vec<(u64, bool, Event<O>)> = Vec::new();
    let mut now = 0;
    for line in text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let times = words[0].split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (start, end) = times.unwrap_or((now + 1, now + 2));
        if times.is_some() {
            words.remove(0);
        }
        assert!(start < end, "no time passes in `{line}`");
        now = end.max(now);
        let (process, node) = words[0].split_once('@').unwrap_or((words[0], "primary"));
        let process = match process {
            "nemesis" => Process::Nemesis,
            id => Process::Client(id.parse().unwrap()),
        };
        let is_ending = |word: &&str| ["=", "=w", "!", "?", "..."].contains(word);
        let at = words.iter().position(is_ending).unwrap_or(words.len());
        let op = O::op(&words[1..at]);
        let cause = |default| Box::new(cause(words.get(at + 1).copied().unwrap_or(default)));
        let completion = match words.get(at).copied() {
            None => Some(Phase::Ok { reply: op.reply(&[]), warning: None }),
            Some("=") => Some(Phase::Ok { reply: op.reply(&words[at + 1..]), warning: None }),
            Some("=w") => {
                Some(Phase::Ok { reply: op.reply(&words[at + 1..]), warning: Some("01000 canceled".into()) })
            }
            Some("!") => Some(Phase::Fail { cause: cause("server") }),
            Some("?") => Some(Phase::Info { cause: cause("deadline") }),
            Some(_) => None,
        };
        let mut push = |time: u64, phase| {
            let is_invoke = matches!(phase, Phase::Invoke { .. });
            let time_ns = Nanos::from_millis(time);
            let event = Event { index: 0, time: time_ns, process, node: NodeName::new(node), phase };
            events.push((time, is_invoke, event));
        };
        push(start, Phase::Invoke { op: op.clone() });
        completion.into_iter().for_each(|phase| push(end, phase));
    }
    events.sort_by_key(|(time, is_invoke, _)| (*time, *is_invoke));
    let number = |(index, (_, _, event)): (u64, (u64, bool, Event<O>))| Event { index, ..event };
    let header = Header { workload: O::WORKLOAD.to_owned(), concurrency: 10 };
    History::new(header, (0..).zip(events).map(number).collect()).unwrap()
}

fn cause(word: &str) -> Cause {
    let class = match word {
        "refused" => CauseClass::Refused,
        "server" => CauseClass::Server,
        "lost" => CauseClass::ConnectionLost,
        "cannot" => CauseClass::CannotConnect,
        "deadline" => CauseClass::Deadline,
        other => panic!("no cause is called `{other}`"),
    };
    Cause { class, sqlstate: None, message: format!("{word} happened") }
}

fn digest(words: &[&str], table: Table) -> TableDigest {
    let (rows, lsn) = words[0].split_once('@').unwrap_or((words[0], ""));
    let bucket = |word: &&str| {
        let parts: Vec<&str> = word.split(':').collect();
        Bucket {
            bucket: parts[0].parse().unwrap(),
            rows: parts[1].parse().unwrap(),
            hash: parts[2].to_owned(),
        }
    };
    TableDigest {
        table,
        lsn: (!lsn.is_empty()).then(|| lsn.parse().unwrap()),
        rows: rows.parse().unwrap(),
        buckets: words[1..].iter().map(bucket).collect(),
    }
}

fn table(name: &str) -> Table {
    let all = [
        Table::Orders,
        Table::OrderDetails,
        Table::Inventory,
        Table::UserCounter,
        Table::TxnList,
        Table::TxnRegister,
        Table::BankAccount,
        Table::SetElement,
    ];
    all.into_iter().find(|table| table.name() == name).unwrap()
}

impl Notation for CounterOp {
    const WORKLOAD: &'static str = "counter";

    fn op(words: &[&str]) -> CounterOp {
        match *words {
            ["inc", key] => CounterOp::Increment { key: key.parse().unwrap() },
            ["own", of] => {
                let (key, writer) = of.split_once('/').unwrap();
                CounterOp::ReadOwn { key: key.parse().unwrap(), writer: writer.parse().unwrap() }
            }
            ["all"] => CounterOp::ReadAll,
            ["digest", name] => CounterOp::Digest { table: table(name) },
            _ => panic!("no operation of the counter: {words:?}"),
        }
    }

    fn reply(&self, words: &[&str]) -> CounterReply {
        match self {
            CounterOp::Increment { .. } => CounterReply::Incremented { value: words[0].parse().unwrap() },
            CounterOp::ReadOwn { .. } => CounterReply::Value { value: words[0].parse().unwrap() },
            CounterOp::ReadAll => {
                CounterReply::All(words[0].split(',').map(|value| value.parse().unwrap()).collect())
            }
            CounterOp::Digest { table } => CounterReply::Digest(digest(words, *table)),
        }
    }
}

impl Notation for OrdersOp {
    const WORKLOAD: &'static str = "orders";

    fn op(words: &[&str]) -> OrdersOp {
        match *words {
            ["order"] => order("1*1@100"),
            ["order", item] => order(item),
            ["stock"] => OrdersOp::Stock,
            ["ledger", after] => OrdersOp::Ledger { after: after.parse().unwrap() },
            ["digest", name] => OrdersOp::Digest { table: table(name) },
            _ => panic!("no operation of the orders: {words:?}"),
        }
    }

    fn reply(&self, words: &[&str]) -> OrdersReply {
        match self {
            OrdersOp::Order { .. } => OrdersReply::Ordered { order: words[0].parse().unwrap() },
            OrdersOp::Stock => OrdersReply::Stock(stock(words)),
            OrdersOp::Ledger { .. } => OrdersReply::Ledger(words.iter().map(|word| line(word)).collect()),
            OrdersOp::Digest { table } => OrdersReply::Digest(digest(words, *table)),
        }
    }
}

fn stock(words: &[&str]) -> StockSnapshot {
    let mut snapshot = StockSnapshot::default();
    for word in words {
        if let Some(orders) = word.strip_prefix('o') {
            snapshot.orders = orders.parse().unwrap();
        } else if let Some(details) = word.strip_prefix('d') {
            snapshot.details = details.parse().unwrap();
        } else {
            let (product, rest) = word.split_once(':').unwrap();
            let (stock, ordered) = rest.split_once('+').unwrap();
            snapshot.lines.push(StockLine {
                product: product.parse().unwrap(),
                stock: stock.parse().unwrap(),
                ordered: ordered.parse().unwrap(),
            });
        }
    }
    snapshot
}

/// Product, quantity and price: `1*1@100`.
fn item(word: &str) -> (i32, i32, i64) {
    let (product, rest) = word.split_once('*').unwrap();
    let (quantity, price) = rest.split_once('@').unwrap();
    (product.parse().unwrap(), quantity.parse().unwrap(), price.parse().unwrap())
}

fn order(word: &str) -> OrdersOp {
    let (product, quantity, price) = item(word);
    OrdersOp::Order { product, quantity, price }
}

/// Order 3 of process 0, with two details, and what it holds: `3/0x2=1*1@100`.
fn line(word: &str) -> LedgerLine {
    let (line, holds) = word.split_once('=').unwrap_or((word, "1*1@100"));
    let (order, rest) = line.split_once('/').unwrap();
    let (user, details) = rest.split_once('x').unwrap_or((rest, "1"));
    let (product, quantity, price) = item(holds);
    LedgerLine {
        order: order.parse().unwrap(),
        user: user.parse().unwrap(),
        details: details.parse().unwrap(),
        product,
        quantity,
        price,
        subtotal: price,
    }
}

impl Notation for TxnOp {
    const WORKLOAD: &'static str = "append";

    fn op(words: &[&str]) -> TxnOp {
        match words {
            ["digest", name] => TxnOp::Digest { table: table(name) },
            ["last", rest @ ..] => TxnOp::Last(rest.iter().map(|word| micro(word)).collect()),
            _ => TxnOp::Transaction(words.iter().map(|word| micro(word)).collect()),
        }
    }

    fn reply(&self, words: &[&str]) -> TxnReply {
        let TxnOp::Digest { table } = self else {
            let reads = words.iter().map(|word| observed(word)).collect();
            return TxnReply::Committed(Committed { reads, ..Committed::default() });
        };
        TxnReply::Digest(digest(words, *table))
    }
}

/// `a1.7`: append 7 to key 1; `w1.7`: write it; `r1`: read key 1.
fn micro(word: &str) -> Micro {
    let (key, value) = word[1..].split_once('.').unwrap_or((&word[1..], "0"));
    let (key, value) = (key.parse().unwrap(), value.parse().unwrap());
    match &word[..1] {
        "a" => Micro::Append(key, value),
        "w" => Micro::Write(key, value),
        "r" => Micro::Read(key),
        _ => panic!("no micro-operation: {word}"),
    }
}

fn observed(word: &str) -> Observed {
    match word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some("") => Observed::List(Vec::new()),
        Some(list) => Observed::List(list.split(',').map(|element| element.parse().unwrap()).collect()),
        None if word == "-" => Observed::Register(None),
        None => Observed::Register(Some(word.parse().unwrap())),
    }
}

impl Notation for BankOp {
    const WORKLOAD: &'static str = "bank";

    fn op(words: &[&str]) -> BankOp {
        let number = |word: &str| word.parse().unwrap();
        match *words {
            ["move", from, to, amount] => {
                BankOp::Transfer { from: number(from), to: number(to), amount: number(amount) }
            }
            ["read"] => BankOp::Read,
            ["audit"] => BankOp::Audit,
            ["digest", name] => BankOp::Digest { table: table(name) },
            _ => panic!("no operation of the bank: {words:?}"),
        }
    }

    fn reply(&self, words: &[&str]) -> BankReply {
        let pair = |word: &&str| {
            let (account, balance) = word.split_once(':').unwrap();
            (account.parse().unwrap(), balance.parse().unwrap())
        };
        match self {
            BankOp::Transfer { .. } => {
                BankReply::Transferred { from: words[0].parse().unwrap(), to: words[1].parse().unwrap() }
            }
            BankOp::Read | BankOp::Audit => BankReply::Balances(words.iter().map(pair).collect()),
            BankOp::Digest { table } => BankReply::Digest(digest(words, *table)),
        }
    }
}

impl Notation for SetOp {
    const WORKLOAD: &'static str = "set";

    fn op(words: &[&str]) -> SetOp {
        match *words {
            ["insert", element] => SetOp::Insert { element: element.parse().unwrap() },
            ["read"] => SetOp::Read,
            ["last"] => SetOp::Last,
            ["digest", name] => SetOp::Digest { table: table(name) },
            _ => panic!("no operation of the set: {words:?}"),
        }
    }

    fn reply(&self, words: &[&str]) -> SetReply {
        let range = |word: &&str| {
            // The first number may be less than zero.
            let dash = word[1..].find('-').unwrap() + 1;
            (word[..dash].parse().unwrap(), word[dash + 1..].parse().unwrap())
        };
        match self {
            SetOp::Insert { .. } => SetReply::Inserted,
            SetOp::Read | SetOp::Last => SetReply::Elements(words.iter().map(range).collect()),
            SetOp::Digest { table } => SetReply::Digest(digest(words, *table)),
        }
    }
}

impl Notation for FaultOp {
    const WORKLOAD: &'static str = "nemesis";

    fn op(words: &[&str]) -> FaultOp {
        let action = match words[0].trim_start_matches("heal-").trim_start_matches("fence-") {
            "answer" => return FaultOp::Answer,
            word => *Action::ALL
                .iter()
                .find(|action| action.verb().replace(' ', "-") == word)
                .unwrap_or_else(|| panic!("no fault is called `{word}`")),
        };
        let occasion = match words[0].split_once('-') {
            Some(("heal", _)) => Occasion::Healing,
            Some(("fence", _)) => Occasion::Fencing,
            _ => Occasion::Planned,
        };
        FaultOp::Act { action, occasion }
    }

    fn reply(&self, words: &[&str]) -> String {
        words.join(" ")
    }
}

#[test]
fn text_becomes_events_in_order_of_time() {
    let history: History<CounterOp> =
        history("0-5 3@replica-1 own 1/0 = 4; 2-3 0 inc 1 =w 7; 4-9 0 inc 2 ? lost");
    let told: Vec<String> = history
        .events()
        .iter()
        .map(|event| format!("{} {:?} {} {:?}", event.time, event.process, event.node, event.phase))
        .collect();
    assert_eq!(
        told,
        [
            "0 ns Client(3) replica-1 Invoke { op: ReadOwn { key: 1, writer: 0 } }",
            "2.00 ms Client(0) primary Invoke { op: Increment { key: 1 } }",
            "3.00 ms Client(0) primary Ok { reply: Incremented { value: 7 }, warning: Some(\"01000 canceled\") }",
            "4.00 ms Client(0) primary Invoke { op: Increment { key: 2 } }",
            "5.00 ms Client(3) replica-1 Ok { reply: Value { value: 4 }, warning: None }",
            "9.00 ms Client(0) primary Info { cause: Cause { class: ConnectionLost, sqlstate: None, message: \"lost happened\" } }",
        ]
    );
}
