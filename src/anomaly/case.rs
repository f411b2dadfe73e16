//! A case: sessions, the order of their steps, by what the anomaly is recognised, and what is expected.

use std::collections::BTreeMap;

use super::{Ending, Placement};
use crate::isolation::Isolation;

/// A scripted interleaving of a few sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// As it is named on the command line: `write-skew`.
    pub name: String,
    /// For people: `Write skew: two doctors go home`.
    pub title: String,
    /// The phenomenon in Adya's or Berenson's notation: `G2-item`.
    pub code: Option<String>,
    /// What it is, in a few sentences.
    pub about: String,
    /// Who described it first.
    pub source: Option<String>,
    /// How to prevent it, in a sentence.
    pub remedy: Option<String>,
    /// What must be there besides a database.
    pub needs: Needs,
    /// Statements that make its tables, in a schema of its own.
    pub setup: Vec<String>,
    /// In the order in which they appear.
    pub sessions: Vec<Actor>,
    /// In the order in which they are sent.
    pub steps: Vec<Step>,
    /// What is read when everything else is over, by a session of its own on the primary.
    pub after: Vec<Step>,
    /// The anomaly happened where all of these were seen; empty: nobody says what to look for.
    pub happens: Vec<Sight>,
    /// What is expected where. What is absent is only shown.
    pub expect: BTreeMap<(Placement, Isolation), Ending>,
    /// What is changed to prevent it.
    pub preventions: Vec<Prevention>,
    /// Whether a transaction that is refused with 40001 or 40P01 is begun anew when all steps are done.
    pub retry: bool,
}

/// What a case or a prevention needs besides a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The server's settings are changed for a moment.
    pub superuser: bool,
    /// An extension.
    pub extension: Option<String>,
}

/// A session of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its name.
    pub name: String,
    /// Where it is connected to.
    pub place: Place,
    /// Its own isolation level, where it is not the one that is varied.
    pub isolation: Option<Isolation>,
}

/// Where a session is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The primary.
    Primary,
    /// It only reads: the primary, or a replica, as asked.
    Either,
    /// A replica, always.
    Replica,
    /// The primary, to administrate: it is no part of the anomaly and has no isolation level.
    Admin,
}

impl Place {
    /// As files have it.
    pub const NAMES: [(&'static str, Place); 4] = [
        ("primary", Place::Primary),
        ("either", Place::Either),
        ("replica", Place::Replica),
        ("admin", Place::Admin),
    ];
}

/// One step of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Whose.
    pub session: String,
    /// What is done.
    pub action: Action,
    /// Its name, different from every other step's.
    pub label: String,
    /// The application goes on only where it saw this before; otherwise the step is left out.
    pub only_if: Option<Sight>,
    /// The next step is sent only when the step of this name is answered: what a signal does, it does in its own time.
    pub until: Option<String>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends statements. `{pid:alice}` stands for the process of a session, `{saw:alice reads}` for the first value that a
    /// step read; behind a `|` stands the value that an exported file has there.
    Sql(String),
    /// Makes every commit wait for a standby that does not exist, and sees that one does.
    HoldCommits,
    /// Puts the setting back as it was: commits that wait are answered.
    ReleaseCommits,
}

impl Action {
    /// The controls as files have them.
    pub const CONTROLS: [(&'static str, Action); 2] =
        [("hold-commits", Action::HoldCommits), ("release-commits", Action::ReleaseCommits)];

    /// As it is shown.
    pub fn text(&self) -> &str {
        match self {
            Action::Sql(sql) => sql,
            Action::HoldCommits => "-- from now on commits wait for a standby that does not exist",
            Action::ReleaseCommits => "-- synchronous_standby_names as it was before",
        }
    }
}

/// Something that may be seen of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// The step's label.
    pub step: String,
    /// What.
    pub seen: Seen,
}

/// What may be seen of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Exactly these rows, in this order, as text.
    Rows(Vec<Vec<String>>),
    /// So many rows were written.
    Affected(u64),
    /// It succeeded with a warning of this SQLSTATE.
    Warning(String),
    /// It succeeded.
    Ok,
    /// Whether it had to wait for another session.
    Waited(bool),
}

/// A change of a case, and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prevention {
    /// As `--with` takes it.
    pub name: String,
    /// Whether it prevents the anomaly. What people believe in and does not is worth showing too.
    pub helps: bool,
    /// The level that it runs at.
    pub isolation: Isolation,
    /// Where readers read.
    pub on: Placement,
    /// Why it helps, or not.
    pub why: String,
    /// Statements that follow the case's own setup.
    pub setup: Vec<String>,
    /// Steps by label, and what they do instead.
    pub replace: BTreeMap<String, String>,
    /// Sessions by name, and where they are instead, at the level that is varied.
    pub sessions: BTreeMap<String, Place>,
    /// Whether refused transactions are begun anew.
    pub retry: bool,
    /// What it needs besides what the case needs.
    pub needs: Needs,
    /// What comes of it.
    pub expect: Option<Ending>,
}

impl Case {
    /// Where the case can be played: on the primary alone, with its readers on a replica, or both.
    pub fn placements(&self) -> Vec<Placement> {
        let any = |place: Place| self.sessions.iter().any(|actor| actor.place == place);
        match (any(Place::Replica), any(Place::Either)) {
            (true, _) => vec![Placement::Replica],
            (false, true) => vec![Placement::Primary, Placement::Replica],
            (false, false) => vec![Placement::Primary],
        }
    }

    /// The case with a prevention.
    pub fn with(&self, prevention: &Prevention) -> Case {
        let mut case = self.clone();
        case.setup.extend(prevention.setup.iter().cloned());
        for step in case.steps.iter_mut().chain(&mut case.after) {
            if let Some(sql) = prevention.replace.get(&step.label) {
                step.action = Action::Sql(sql.clone());
            }
        }
        for actor in &mut case.sessions {
            if let Some(place) = prevention.sessions.get(&actor.name) {
                (actor.place, actor.isolation) = (*place, None);
            }
        }
        case.retry = prevention.retry;
        case.needs.superuser |= prevention.needs.superuser;
        case.needs.extension = prevention.needs.extension.clone().or(case.needs.extension);
        case
    }

    /// The prevention of that name.
    pub fn prevention(&self, name: &str) -> Option<&Prevention> {
        self.preventions.iter().find(|prevention| prevention.name == name)
    }

    /// Whether one of its sessions is on a replica there.
    pub fn uses_replica(&self, on: Placement) -> bool {
        self.sessions.iter().any(|actor| match actor.place {
            Place::Replica => true,
            Place::Either => on == Placement::Replica,
            Place::Primary | Place::Admin => false,
        })
    }
}
