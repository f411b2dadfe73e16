//! TOML by hand, so that every complaint has its line.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::anomaly::Problem;
use crate::suggest::hint;

/// A value, and where it stands.
pub(super) type Typed<'t> = Spanned<DeValue<'t>>;

/// A text, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// A file being read.
pub(super) struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    problems: Vec<(usize, Problem)>,
}

/// The value of `key`.
pub(super) fn get<'t, 'v>(table: &'t DeTable<'v>, key: &str) -> Option<&'t Typed<'v>> {
    table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Reader<'a> {
        Reader { path, text, problems: Vec::new() }
    }

    /// What was found, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|(at, _)| *at);
        self.problems.into_iter().map(|(_, problem)| problem).collect()
    }

    /// Whether anything was complained of.
    pub(super) fn is_wrong(&self) -> bool {
        !self.problems.is_empty()
    }

    pub(super) fn parse(&mut self) -> Option<DeTable<'a>> {
        match DeTable::parse(self.text) {
            Ok(table) => Some(table.into_inner()),
            Err(error) => {
                let span = error.span().unwrap_or_default();
                self.problem(span, error.message().replace('\n', ", "));
                None
            }
        }
    }

    pub(super) fn problem(&mut self, span: Range<usize>, message: String) {
        let problem = Problem::at(self.path, self.text, span.clone(), message);
        self.problems.push((span.start, problem));
    }

    /// Something that is nowhere.
    fn missing(&mut self, message: String) {
        let problem = Problem { place: self.path.to_owned(), message, excerpt: None };
        self.problems.push((usize::MAX, problem));
    }

    /// Complains of every key that is none of `known`.
    pub(super) fn keys(&mut self, table: &DeTable<'_>, known: &[&str], of: &str) {
        for name in table.keys() {
            let typed: &Cow<'_, str> = name.get_ref();
            if !known.contains(&typed.as_ref()) {
                let near = hint(typed, known.iter().copied());
                let near = if near.is_empty() { format!(", only {}", known.join(", ")) } else { near };
                self.problem(name.span(), format!("there is no key `{typed}` in {of}{near}"));
            }
        }
    }

    pub(super) fn required<'t, 'v>(&mut self, table: &'t DeTable<'v>, key: &str) -> Option<&'t Typed<'v>> {
        let found = get(table, key);
        if found.is_none() {
            self.missing(format!("there is no `{key}`; docs/anomalies.md has a complete example"));
        }
        found
    }

    /// The same below `whole`.
    pub(super) fn required_in<'t, 'v>(
        &mut self,
        table: &'t DeTable<'v>,
        whole: &Typed<'_>,
        key: &str,
    ) -> Option<&'t Typed<'v>> {
        let found = get(table, key);
        if found.is_none() {
            self.problem(whole.span(), format!("`{key}` is missing here"));
        }
        found
    }

    pub(super) fn table<'t, 'v>(&mut self, key: &str, value: &'t Typed<'v>) -> Option<&'t DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.problem(value.span(), format!("`{key}` takes a table"));
        }
        table
    }

    pub(super) fn list<'t, 'v>(&mut self, key: &str, value: &'t Typed<'v>) -> Option<&'t [Typed<'v>]> {
        match value.get_ref() {
            DeValue::Array(items) => Some(items),
            _ => {
                self.problem(value.span(), format!("`{key}` takes a list"));
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &str, value: &Typed<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(value.span(), format!("`{key}` takes a text in quotes"));
        }
        text.map(str::to_owned)
    }

    pub(super) fn named(&mut self, key: &str, value: &Typed<'_>) -> Option<Named> {
        self.text(key, value).map(|text| Named { text, span: value.span() })
    }

    pub(super) fn texts(&mut self, key: &str, value: &Typed<'_>) -> Option<Vec<String>> {
        let items = self.list(key, value)?;
        let texts: Vec<String> = items.iter().filter_map(|item| self.text(key, item)).collect();
        (texts.len() == items.len()).then_some(texts)
    }

    pub(super) fn truth(&mut self, key: &str, value: &Typed<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            _ => {
                self.problem(value.span(), format!("`{key}` takes true or false"));
                None
            }
        }
    }

    /// A text that means something.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str, value: &Typed<'_>) -> Option<T> {
        match self.text(key, value)?.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problem(value.span(), format!("{error}"));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Clone>(&mut self, what: &str, value: &Typed<'_>, of: &[(&str, T)]) -> Option<T> {
        let typed = self.text(what, value)?;
        let found = of.iter().find(|(name, _)| *name == typed).map(|(_, meant)| meant.clone());
        if found.is_none() {
            let names: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
            let near = hint(&typed, names.iter().copied());
            self.problem(value.span(), format!("{what} is one of {}, not `{typed}`{near}", names.join(", ")));
        }
        found
    }

    /// What stands on a command line: lower-case letters, digits and `-`.
    pub(super) fn name(&mut self, value: &Typed<'_>) -> Option<String> {
        let name = self.text("name", value)?;
        let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits {
            let message = format!("`{name}` is no name: lower-case letters, digits and `-`, a letter first");
            self.problem(value.span(), message);
        }
        fits.then_some(name)
    }

    /// A value of a row as the server would send it.
    pub(super) fn value(&mut self, value: &Typed<'_>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) => Some(number.as_str().to_owned()),
            _ => {
                let message = "a value of a row is a text or a whole number; `NULL` and `t` are texts";
                self.problem(value.span(), message.to_owned());
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, key: &str, value: &Typed<'_>) -> Option<u64> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        if number.is_none() {
            self.problem(value.span(), format!("`{key}` takes a whole number from 0"));
        }
        number
    }
}
