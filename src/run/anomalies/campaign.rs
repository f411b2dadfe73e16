//! Every case at every level, as often as asked, and what is expected beside it.

use tokio::sync::watch;

use super::Stage;
use crate::anomaly::{Case, Ending, Placement};
use crate::history::Clock;
use crate::isolation::Isolation;
use crate::report::anomalies::{Anomalies, CaseReport, Cell, Result as Found, State, Tried};
use crate::run::execute::chain;

/// What is to be played.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The cases, in order.
    pub cases: Vec<Case>,
    /// The levels, in order.
    pub levels: Vec<Isolation>,
    /// Where readers read, in order.
    pub placements: Vec<Placement>,
    /// How often each.
    pub repeat: u32,
    /// The cluster in a few words.
    pub cluster: String,
    /// A command that repeats it.
    pub reproduce: String,
}

/// Cases being played.
#[derive(Debug)]
pub struct Campaign<'a> {
    wanted: &'a Wanted,
    stage: &'a Stage,
    found: Anomalies,
    clock: Clock,
}

/// What no result of a case says anything about.
const ALWAYS: [&str; 2] = [
    "Other orders of the same steps: each case is one order, which shows that something can happen, and that the very same \
     order is prevented; it proves no level free of an anomaly.",
    "Other plans and larger tables: serializable may refuse more where it watches pages or whole tables instead of rows.",
];

impl<'a> Campaign<'a> {
    /// Nothing is played yet.
    pub fn new(wanted: &'a Wanted, stage: &'a Stage) -> Campaign<'a> {
        let mut found = Anomalies {
            format: 1,
            exit_code: 0,
            interrupted: false,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            server: stage.version().to_owned(),
            cluster: wanted.cluster.clone(),
            levels: wanted.levels.clone(),
            placements: wanted.placements.clone(),
            repeat: wanted.repeat,
            seconds: 0.0,
            cases: Vec::new(),
            not_checked: Vec::new(),
            reproduce: wanted.reproduce.clone(),
        };
        for case in &wanted.cases {
            let mut report = CaseReport::new(case);
            for on in wanted.placements.iter().copied().filter(|on| case.placements().contains(on)) {
                for isolation in wanted.levels.iter().copied() {
                    let result = Found::new(case.expect.get(&(on, isolation)).cloned());
                    report.cells.push(Cell { on, isolation, result });
                }
            }
            let asked = |tried: &&crate::anomaly::Prevention| {
                wanted.levels.contains(&tried.isolation) && wanted.placements.contains(&tried.on)
            };
            report.preventions = case.preventions.iter().filter(asked).map(Tried::new).collect();
            found.cases.push(report);
        }
        Campaign { wanted, stage, found, clock: Clock::start() }
    }

    /// Plays everything, repetition by repetition, until it is done or `interrupt` becomes true. `told` hears of each
    /// repetition of each case before it begins.
    pub async fn play(
        mut self,
        interrupt: &watch::Receiver<bool>,
        mut told: impl FnMut(&str, u32),
    ) -> Anomalies {
        let begun = self.clock.now();
        'all: for repetition in 1..=self.wanted.repeat {
            for (place, case) in self.wanted.cases.iter().enumerate() {
                told(&case.name, repetition);
                for number in 0..self.found.cases[place].cells.len() {
                    if *interrupt.borrow() {
                        break 'all;
                    }
                    let cell = &mut self.found.cases[place].cells[number];
                    let (on, level) = (cell.on, cell.isolation);
                    once(self.stage, case, (on, level), repetition, &mut cell.result).await;
                }
                for tried in &mut self.found.cases[place].preventions {
                    if *interrupt.borrow() {
                        break 'all;
                    }
                    let Some(prevention) = case.prevention(&tried.name) else { continue };
                    let (on, level) = (tried.on, tried.isolation);
                    once(self.stage, &case.with(prevention), (on, level), repetition, &mut tried.result)
                        .await;
                }
            }
        }
        self.found.interrupted = *interrupt.borrow();
        for case in &mut self.found.cases {
            let cells = case.cells.iter_mut().map(|cell| &mut cell.result);
            for result in cells.chain(case.preventions.iter_mut().map(|tried| &mut tried.result)) {
                if result.state == State::NotRun && result.why.is_none() {
                    result.why = Some("it was interrupted before".to_owned());
                }
            }
        }
        self.found.seconds = self.clock.now().since(begun).as_secs_f64();
        self.found.not_checked = self.not_checked();
        self.found.decide();
        self.found
    }

    fn not_checked(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for (case, place, result) in
            self.found.results().filter(|(_, _, result)| result.state == State::NotRun)
        {
            let why = result.why.as_deref().unwrap_or("no reason is known");
            sentences.push(format!("Not run: {}, {place}: {why}.", case.name));
        }
        let without = self.found.cases.iter().filter(|case| {
            case.results().any(|(_, result)| result.expected.is_none() && result.state != State::NotRun)
        });
        for case in without {
            sentences
                .push(format!("Nothing was compared for {}: its file expects nothing there.", case.name));
        }
        let missing = |what: &str, left: Vec<String>| {
            (!left.is_empty()).then(|| format!("Not asked for: {} {what}.", left.join(", ")))
        };
        let levels = Isolation::ALL.into_iter().filter(|level| !self.wanted.levels.contains(level));
        sentences.extend(missing("and what prevents there", levels.map(|level| level.to_string()).collect()));
        let left = [Placement::Primary, Placement::Replica];
        let left = left.into_iter().filter(|on| !self.wanted.placements.contains(on));
        sentences.extend(missing("as the readers' place", left.map(|on| format!("the {on}")).collect()));
        sentences.extend(ALWAYS.map(str::to_owned));
        sentences
    }
}

/// One playing, added to what was found before.
async fn once(
    stage: &Stage,
    case: &Case,
    (on, level): (Placement, Isolation),
    repetition: u32,
    result: &mut Found,
) {
    if result.state == State::Failed {
        return;
    }
    if let Some(why) = stage.lacks(case, on) {
        return result.not_run(why);
    }
    match Box::pin(stage.play(case, on, level)).await {
        Ok(transcript) => result.add(Ending::of(case, &transcript), transcript, repetition),
        Err(error) => result.failed(format!("repetition {repetition}: {}", chain(&error))),
    }
}
