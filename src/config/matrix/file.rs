//! A matrix's file: what it varies is read here, its sections as those of `replab.toml`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::error::{Excerpt, Origin, Problem};
use super::super::file::{parse, problem, sections};
use super::super::layers::{Entry, Raw};
use super::super::settings::{KEYS, key};
use crate::suggest::hint;

/// The most repetitions.
const MAX_REPEAT: i64 = 100;

/// The keys of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Repeat,
    SynchronousCommit,
    Standbys,
    Fault,
}

impl Axis {
    const ALL: [Axis; 4] = [Axis::Repeat, Axis::SynchronousCommit, Axis::Standbys, Axis::Fault];

    pub(super) fn name(self) -> &'static str {
        match self {
            Axis::Repeat => "repeat",
            Axis::SynchronousCommit => "synchronous_commit",
            Axis::Standbys => "standbys",
            Axis::Fault => "fault",
        }
    }
}

/// One value of an axis, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    origin: Origin,
    excerpt: Excerpt,
}

impl Value {
    /// As the value of the setting `path`.
    pub(super) fn entry(&self, path: &str) -> Option<Entry> {
        let (value, origin) = (Raw::Text(self.text.clone()), self.origin.clone());
        key(path).map(|key| Entry { key, value, origin, excerpt: Some(self.excerpt.clone()) })
    }
}

/// One fault.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) schedule: Value,
    pub(super) explanation: String,
}

/// What a matrix varies, and what its cells have in common.
#[derive(Clone, Debug)]
pub(super) struct Axes {
    pub(super) repeat: u32,
    pub(super) synchronous_commit: Vec<Value>,
    pub(super) standbys: Vec<Value>,
    pub(super) faults: Vec<Fault>,
    pub(super) settings: Vec<Entry>,
}

/// Reads the file `path`, which holds `text`. `None` where something is missing; what is wrong is added to `problems`.
pub(super) fn read(path: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Axes> {
    let mut table = parse(path, text, problems)?;
    let mut reader = Reader { path, text, problems };
    let before = reader.problems.len();
    let (mut repeat, mut levels, mut standbys, mut faults) = (None, None, None, None);
    for (name, value) in &table {
        match Axis::ALL.into_iter().find(|axis| axis.name() == name.get_ref().as_ref()) {
            Some(Axis::Repeat) => repeat = reader.repeat(value),
            Some(Axis::SynchronousCommit) => levels = reader.values(name, value),
            Some(Axis::Standbys) => standbys = reader.values(name, value),
            Some(Axis::Fault) => faults = reader.faults(name, value),
            None => {}
        }
    }
    reader.misspelt(&mut table);
    let settings = sections(path, text, &table, reader.problems);
    for (axis, is_there) in [
        (Axis::Repeat, repeat.is_some()),
        (Axis::SynchronousCommit, levels.is_some()),
        (Axis::Standbys, standbys.is_some()),
        (Axis::Fault, faults.is_some()),
    ] {
        // One that is wrong has been complained of.
        if !is_there && reader.problems.len() == before {
            let what = if axis == Axis::Fault { "`[[fault]]`" } else { "key" };
            let message =
                format!("there is no {what} `{}`; `replab matrix --print` shows a matrix", axis.name());
            reader.problems.push(Problem { place: path.to_owned(), message, excerpt: None, is_usage: false });
        }
    }
    Some(Axes {
        repeat: repeat?,
        synchronous_commit: levels?,
        standbys: standbys?,
        faults: faults?,
        settings,
    })
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn problem<T>(&mut self, span: Range<usize>, message: String) -> Option<T> {
        self.problems.push(problem(self.path, self.text, span, message));
        None
    }

    /// Leaves only sections, and names that are like none of a matrix: those get their own complaint.
    fn misspelt(&mut self, table: &mut DeTable<'_>) {
        let names = || Axis::ALL.into_iter().map(Axis::name);
        for (name, value) in std::mem::take(table) {
            let typed = name.get_ref().as_ref();
            let near = hint(typed, names());
            let is_section = KEYS.iter().any(|key| key.section == typed);
            if names().any(|name| name == typed) {
                continue;
            }
            if is_section || near.is_empty() {
                table.insert(name, value);
            } else {
                let message = format!("there is no key `{typed}` in a matrix{near}");
                self.problem::<()>(name.span(), message);
            }
        }
    }

    fn repeat(&mut self, value: &Spanned<DeValue<'_>>) -> Option<u32> {
        let DeValue::Integer(number) = value.get_ref() else {
            return self.problem(value.span(), "`repeat` takes a whole number".to_owned());
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX);
        match repeat(number) {
            Ok(repeat) => Some(repeat),
            Err(message) => self.problem(value.span(), message),
        }
    }

    fn value(&self, text: &str, span: Range<usize>) -> Value {
        let excerpt = Excerpt::of(self.text, span);
        let origin = Origin::File { path: self.path.to_owned(), line: excerpt.line };
        Value { text: text.to_owned(), origin, excerpt }
    }

    /// A list of texts, at least one, none of them twice.
    fn values(
        &mut self,
        name: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Vec<Value>> {
        let name = name.get_ref().as_ref();
        let wrong = || format!("`{name}` takes a list of texts in quotes, at least one");
        let DeValue::Array(items) = value.get_ref() else { return self.problem(value.span(), wrong()) };
        if items.is_empty() {
            return self.problem(value.span(), wrong());
        }
        let mut values: Vec<Value> = Vec::new();
        for item in items {
            let Some(text) = item.get_ref().as_str() else { return self.problem(item.span(), wrong()) };
            if values.iter().any(|value| value.text == text) {
                return self.problem(item.span(), format!("`{text}` stands in `{name}` twice"));
            }
            values.push(self.value(text, item.span()));
        }
        Some(values)
    }

    fn faults(
        &mut self,
        name: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Vec<Fault>> {
        let wrong = "a fault of a matrix begins with a line `[[fault]]`";
        let tables: Option<Vec<&DeTable<'_>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| item.get_ref().as_table()).collect(),
            _ => None,
        };
        let Some(tables) = tables.filter(|tables| !tables.is_empty()) else {
            return self.problem(name.span(), wrong.to_owned());
        };
        let mut faults: Vec<Fault> = Vec::new();
        for table in tables {
            let fault = self.fault(name.span(), table)?;
            if faults.iter().any(|other| other.name == fault.name) {
                return self.problem(name.span(), format!("two faults are called `{}`", fault.name));
            }
            faults.push(fault);
        }
        Some(faults)
    }

    fn fault(&mut self, head: Range<usize>, table: &DeTable<'_>) -> Option<Fault> {
        const NAMES: [&str; 3] = ["name", "schedule", "explanation"];
        let (mut named, mut schedule, mut explanation) = (None, None, None);
        for (name, value) in table {
            let typed = name.get_ref().as_ref();
            if !NAMES.contains(&typed) {
                let message = format!("there is no key `{typed}` in [[fault]]{}", hint(typed, NAMES));
                return self.problem(name.span(), message);
            }
            let Some(text) = value.get_ref().as_str() else {
                return self.problem(value.span(), format!("`{typed}` takes a text in quotes"));
            };
            match typed {
                "name" if text.trim().is_empty() => {
                    return self.problem(value.span(), "a fault needs a name".to_owned());
                }
                "name" => named = Some(text.to_owned()),
                "schedule" => schedule = Some(self.value(text, value.span())),
                _ => explanation = Some(text.trim().to_owned()),
            }
        }
        match (named, schedule) {
            (Some(name), Some(schedule)) => {
                Some(Fault { name, schedule, explanation: explanation.unwrap_or_default() })
            }
            (None, _) => self.problem(first(table, head), "this fault has no `name`".to_owned()),
            (_, None) => self.problem(first(table, head), "this fault has no `schedule`".to_owned()),
        }
    }
}

/// Where a table without a line of its own begins to be known.
fn first(table: &DeTable<'_>, head: Range<usize>) -> Range<usize> {
    table.keys().map(Spanned::span).min_by_key(|span| span.start).unwrap_or(head)
}

fn repeat(number: i64) -> Result<u32, String> {
    let valid = u32::try_from(number).ok().filter(|_| (1..=MAX_REPEAT).contains(&number));
    valid.ok_or_else(|| format!("it must be between 1 and {MAX_REPEAT}, but is {number}"))
}

impl Axes {
    /// `--repeat` instead of the file's.
    pub(super) fn override_repeat(&mut self, number: Option<i64>, problems: &mut Vec<Problem>) {
        match number.map(repeat) {
            None => {}
            Some(Ok(number)) => self.repeat = number,
            Some(Err(message)) => problems.push(usage("--repeat", message)),
        }
    }

    /// Keeps what `--only` names; what it does not speak of stays whole.
    pub(super) fn select(&mut self, only: &[String], problems: &mut Vec<Problem>) {
        let (mut levels, mut standbys, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for text in only {
            let (axis, value) =
                text.split_once('=').map_or((text.as_str(), ""), |(axis, value)| (axis.trim(), value.trim()));
            let (kept, known): (&mut Vec<String>, Vec<&str>) = match axis {
                "synchronous_commit" => (&mut levels, texts(&self.synchronous_commit)),
                "standbys" => (&mut standbys, texts(&self.standbys)),
                "fault" => (&mut faults, self.faults.iter().map(|fault| fault.name.as_str()).collect()),
                _ => {
                    let names = ["fault", "synchronous_commit", "standbys"];
                    let message = format!(
                        "`{text}` does not say what to keep{}; write `fault=NAME`, `synchronous_commit=VALUE` or `standbys=VALUE`",
                        hint(axis, names)
                    );
                    problems.push(usage("--only", message));
                    continue;
                }
            };
            if known.contains(&value) {
                kept.push(value.to_owned());
            } else {
                let near = hint(value, known.iter().copied());
                let message = format!("there is no {axis} `{value}`{near}; known are {}", known.join(", "));
                problems.push(usage("--only", message));
            }
        }
        let keep = |kept: &[String], text: &str| kept.is_empty() || kept.iter().any(|value| value == text);
        self.synchronous_commit.retain(|value| keep(&levels, &value.text));
        self.standbys.retain(|value| keep(&standbys, &value.text));
        self.faults.retain(|fault| keep(&faults, &fault.name));
    }
}

fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value.text.as_str()).collect()
}

fn usage(flag: &str, message: String) -> Problem {
    Problem { place: flag.to_owned(), message, excerpt: None, is_usage: true }
}
