//! Which database, and which load.

/// How isolated transactions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Writes are made and show at once, also those of transactions that will not commit.
    Unisolated,
    /// Each operation sees what is committed by then.
    ReadCommitted,
    /// Snapshots, on two nodes that do not agree on the order of commits.
    LongFork,
    /// Snapshots, and the first of two writers wins.
    Snapshot,
    /// As `Snapshot`, and readers see an older one.
    StaleSnapshot,
    /// Each transaction at one moment between its begin and its end.
    StrictSerializable,
}

impl Level {
    /// The weakest first.
    pub const ALL: [Level; 6] = [
        Level::Unisolated,
        Level::ReadCommitted,
        Level::LongFork,
        Level::StaleSnapshot,
        Level::Snapshot,
        Level::StrictSerializable,
    ];
}

/// What goes wrong, once in so many commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An acknowledged transaction's appends are dropped.
    LostWrite,
    /// A transaction's appends are made twice.
    DuplicateApply,
    /// A list gets an element that nobody appended.
    Garbage,
    /// A transaction is said to have failed, and its appends are there.
    AbortedWrite,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 4] =
        [Fault::LostWrite, Fault::DuplicateApply, Fault::Garbage, Fault::AbortedWrite];
}

/// A database and its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many transactions are invoked.
    pub transactions: u32,
    /// How many clients there are, each with one transaction at a time.
    pub clients: u32,
    /// How many keys are in use at a time.
    pub keys: u32,
    /// After so many appends, a key is replaced by a new one.
    pub appends: u32,
    /// Whether keys hold registers: an append replaces what was there, and a read shows the last element only.
    pub registers: bool,
    /// The most operations of a transaction; the least is one.
    pub operations: u32,
    /// How isolated it is.
    pub level: Level,
    /// What goes wrong, and once in how many commits.
    pub fault: Option<(Fault, u32)>,
    /// For everything that is drawn.
    pub seed: u64,
}

impl Default for Settings {
    /// Elle's and Jepsen's usual load: 20 clients, one to four operations, up to 100 appends a key.
    fn default() -> Settings {
        Settings {
            transactions: 10_000,
            clients: 20,
            keys: 10,
            appends: 100,
            registers: false,
            operations: 4,
            level: Level::StrictSerializable,
            fault: None,
            seed: 1,
        }
    }
}
