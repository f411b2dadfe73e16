//! The configuration file: read, and checked key by key, so that all that is wrong with it is said at once.

use std::path::Path;
use std::{fs, io};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::suggest::hint;

use super::error::{Excerpt, Origin, Problem};
use super::layers::{Entry, Raw};
use super::settings::{KEYS, Key, Kind, key};

/// Where a configuration file is looked for when none is named.
const NAME: &str = "replab.toml";

/// The named file's name and text; without a name those of `replab.toml` here, if there is one.
pub(super) fn read(named: Option<&Path>) -> Result<Option<(String, String)>, Problem> {
    let path = named.unwrap_or(Path::new(NAME));
    let place = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((place, text))),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem {
            place,
            message: format!("read the configuration file: {error}"),
            excerpt: None,
            is_usage: false,
        }),
    }
}

/// The settings of a file. What is wrong is added to `problems`, what is right returned all the same.
pub(super) fn entries(path: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<Entry> {
    match parse(path, text, problems) {
        Some(table) => sections(path, text, &table, problems),
        None => Vec::new(),
    }
}

/// A file as TOML; `None` where it is none.
pub(super) fn parse<'t>(path: &str, text: &'t str, problems: &mut Vec<Problem>) -> Option<DeTable<'t>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = format!("this is not TOML: {}", error.message());
        problems.push(problem(path, text, error.span().unwrap_or(0..0), message));
    }
    errors.is_empty().then(|| table.into_inner())
}

/// The settings of the sections in `table`, which is what `text` says.
pub(super) fn sections(
    path: &str,
    text: &str,
    table: &DeTable<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let mut reader = Reader { path, text, problems, entries: Vec::new() };
    reader.root(table);
    let Reader { mut entries, .. } = reader;
    entries.sort_by_key(|entry| entry.excerpt.as_ref().map(|excerpt| excerpt.line));
    reader.problems.sort_by_key(|problem| problem.excerpt.as_ref().map(|excerpt| excerpt.line));
    entries
}

/// What is wrong at the bytes of `span`.
pub(super) fn problem(path: &str, text: &str, span: std::ops::Range<usize>, message: String) -> Problem {
    let excerpt = Excerpt::of(text, span);
    let place = format!("{path}:{}", excerpt.line);
    Problem { place, message, excerpt: Some(excerpt), is_usage: false }
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn problem(&mut self, span: std::ops::Range<usize>, message: String) {
        self.problems.push(problem(self.path, self.text, span, message));
    }

    fn root(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let section = name.get_ref().as_ref();
            let known = KEYS.iter().any(|key| key.section == section);
            match value.get_ref() {
                DeValue::Table(body) if known => self.section(section, body),
                _ if known => {
                    let message =
                        format!("`{section}` is a section; its keys stand below a line `[{section}]`");
                    self.problem(name.span(), message);
                }
                DeValue::Table(_) => {
                    let sections = KEYS.iter().map(|key| key.section.as_str());
                    let message = format!("there is no section `{section}`{}", hint(section, sections));
                    self.problem(name.span(), message);
                }
                _ => {
                    let message = match elsewhere(section) {
                        Some(key) => format!("`{section}` belongs below a line `[{}]`", key.section),
                        None => format!("there is no key `{section}`{}", hint(section, names(None))),
                    };
                    self.problem(name.span(), message);
                }
            }
        }
    }

    fn section(&mut self, section: &str, body: &DeTable<'_>) {
        for (name, value) in body {
            let typed = name.get_ref().as_ref();
            if let Some(key) = key(&format!("{section}.{typed}")) {
                self.value(key, value);
                continue;
            }
            let near = hint(typed, names(Some(section)));
            let message = match elsewhere(typed) {
                Some(key) if near.is_empty() => {
                    format!("there is no key `{typed}` in [{section}]; it belongs to [{}]", key.section)
                }
                _ => format!("there is no key `{typed}` in [{section}]{near}"),
            };
            self.problem(name.span(), message);
        }
    }

    fn value(&mut self, key: &'static Key, value: &Spanned<DeValue<'_>>) {
        let raw = match (key.kind, value.get_ref()) {
            (Kind::Number, DeValue::Integer(number)) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Some(Raw::Number(number)),
                    Err(_) => {
                        return self.problem(value.span(), format!("{} is too large", number.as_str()));
                    }
                }
            }
            (Kind::Text, DeValue::String(text)) => Some(Raw::Text(text.clone().into_owned())),
            (Kind::List, DeValue::Array(items)) => {
                let items: Option<Vec<String>> =
                    items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
                items.map(Raw::List)
            }
            _ => None,
        };
        let Some(value_typed) = raw else {
            let message = format!(
                "`{}` takes {}, not {}",
                key.path(),
                key.kind.noun(),
                if value.get_ref().is_array() {
                    "a list of something else".to_owned()
                } else {
                    let kind = value.get_ref().type_str();
                    format!("{} {kind}", if kind.starts_with('i') { "an" } else { "a" })
                }
            );
            return self.problem(value.span(), message);
        };
        let excerpt = Excerpt::of(self.text, value.span());
        let origin = Origin::File { path: self.path.to_owned(), line: excerpt.line };
        self.entries.push(Entry { key, value: value_typed, origin, excerpt: Some(excerpt) });
    }
}

/// The names of the keys of a section, or of all.
fn names(section: Option<&str>) -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter(move |key| section.is_none_or(|section| key.section == section))
        .map(|key| key.name.as_str())
}

/// The key of that name, whatever its section.
fn elsewhere(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
