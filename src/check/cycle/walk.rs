//! Which sequences of dependencies refute a model: a walk that may not be closed.

use super::graph::Kind;

/// What was walked before a vertex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// An anti-dependency may follow.
    Free,
    /// None may.
    Bound,
}

impl State {
    pub(super) const ALL: [State; 2] = [State::Free, State::Bound];

    pub(super) fn of(number: u32) -> State {
        State::ALL[number as usize]
    }

    pub(super) fn number(self) -> u32 {
        self as u32
    }
}

/// Where anti-dependencies may stand in a walk. A closed walk of its kind refutes the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nowhere.
    Never,
    /// No two in a row: snapshot isolation (Cerone and Gotsman, *Analysing Snapshot Isolation*, JACM 65, 2018, theorem 9:
    /// `((SO ∪ WR ∪ WW); RW?)` has no cycle).
    Apart,
    /// Only right after a read or a session's step: prefix consistency (there, `((SO ∪ WR); RW? ∪ WW)` has no cycle).
    AfterRead,
    /// Everywhere: serializability.
    Anywhere,
}

impl Rule {
    /// The state after an edge of `kind`, or `None` where the edge may not follow.
    pub(super) fn step(self, state: State, kind: Kind) -> Option<State> {
        match kind {
            Kind::Onward => Some(state),
            Kind::Rw | Kind::TimedRw => match self {
                Rule::Never => None,
                Rule::Apart | Rule::AfterRead => (state == State::Free).then_some(State::Bound),
                Rule::Anywhere => Some(State::Free),
            },
            Kind::Ww | Kind::TimedWw if self == Rule::AfterRead => Some(State::Bound),
            Kind::Ww | Kind::TimedWw | Kind::Wr | Kind::Session | Kind::Time => Some(State::Free),
        }
    }
}
