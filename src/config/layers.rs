//! The layers, from the lowest to the highest, and what comes out of them.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use config::{Config, Map, Source, Value, ValueKind};
use serde::Serialize;

use crate::pg::Conninfo;

use super::error::{ConfigError, Excerpt, Origin, Problem};
use super::overrides::Overrides;
use super::plan::Plan;
use super::settings::{DEFAULT_FILE, KEYS, Key, Settings};
use super::{environment, file, long_fork, overrides, validate};

/// A value of the kind that its key takes.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    Number(i64),
    Text(String),
    List(Vec<String>),
}

/// One setting of one layer.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: &'static Key,
    pub(super) value: Raw,
    pub(super) origin: Origin,
    pub(super) excerpt: Option<Excerpt>,
}

/// A layer, as the `config` library takes it.
#[derive(Clone, Debug)]
struct Layer(Vec<Entry>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let entries = self.0.iter().map(|entry| {
            let kind = match &entry.value {
                Raw::Number(number) => ValueKind::from(*number),
                Raw::Text(text) => ValueKind::from(text.as_str()),
                Raw::List(items) => ValueKind::from(items.clone()),
            };
            (entry.key.path(), Value::new(Some(&entry.origin.to_string()), kind))
        });
        Ok(entries.collect())
    }
}

/// A setting as it is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingOrigin {
    /// `load.duration`.
    pub key: String,
    /// A number, a text, a list of texts, or null where nothing is set.
    pub value: serde_json::Value,
    /// Where it came from.
    pub origin: Origin,
}

/// What [`load`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What to do.
    pub plan: Plan,
    /// Every setting, by key.
    pub settings: Vec<SettingOrigin>,
}

impl Loaded {
    /// Whether somebody has set `key`, to whatever value.
    pub fn is_set(&self, key: &str) -> bool {
        self.settings.iter().any(|setting| setting.key == key && !setting.origin.is_built_in())
    }
}

/// Settings from all layers. `named` is the configuration file to read; without one, `replab.toml` of the current
/// folder is read if it exists. `environment` may hold any variables; only those that start with `REPLAB_` count.
pub fn load(
    flags: &Overrides,
    named: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    let mut layers = vec![defaults()];
    match file::read(named) {
        Ok(None) => {}
        Ok(Some((path, text))) => layers.push(file::entries(&path, &text, &mut problems)),
        Err(problem) => problems.push(problem),
    }
    layers.push(environment::entries(environment, &mut problems));
    layers.push(overrides::entries(flags, &layers.concat(), &mut problems));
    layers.insert(1, long_fork::entries(&layers));
    resolve(layers, problems, flags.allow_faults)
}

/// The plan of a stored run: its `plan.toml`, and what that leaves out from the defaults. No environment, no flags.
pub fn stored(path: &Path) -> Result<Plan, ConfigError> {
    let mut problems = Vec::new();
    let mut layers = vec![defaults()];
    match file::read(Some(path)) {
        Ok(found) => {
            let found = found.into_iter();
            layers.extend(found.map(|(path, text)| file::entries(&path, &text, &mut problems)));
        }
        Err(problem) => problems.push(problem),
    }
    resolve(layers, problems, true).map(|loaded| loaded.plan)
}

pub(super) fn defaults() -> Vec<Entry> {
    // A mistake in the built-in file would show as a missing field below; the tests load it.
    let entries = file::entries("default", DEFAULT_FILE, &mut Vec::new());
    entries.into_iter().map(|entry| Entry { origin: Origin::Default, excerpt: None, ..entry }).collect()
}

pub(super) fn resolve(
    layers: Vec<Vec<Entry>>,
    mut problems: Vec<Problem>,
    allow_faults: bool,
) -> Result<Loaded, ConfigError> {
    let mut builder = Config::builder();
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for layer in layers {
        entries.extend(layer.iter().map(|entry| (entry.key.path(), entry.clone())));
        builder = builder.add_source(Layer(layer));
    }
    let settings: Result<Settings, config::ConfigError> = builder
        .build()
        .and_then(|merged| serde_path_to_error::deserialize(merged).map_err(|e| e.into_inner()));
    let found = match settings {
        Ok(mut settings) => {
            settings.load.seed.get_or_insert_with(random_seed);
            validate::plan(&settings, &entries, allow_faults, &mut problems).map(|plan| (plan, settings))
        }
        Err(error) => {
            let message = error.to_string();
            problems.push(Problem { place: "settings".to_owned(), message, excerpt: None, is_usage: false });
            None
        }
    };
    // `--clients 0` is wrong for both workloads, and one mistake.
    let mut distinct: Vec<Problem> = Vec::new();
    for problem in problems {
        if !distinct.contains(&problem) {
            distinct.push(problem);
        }
    }
    match found {
        Some((plan, mut settings)) if distinct.is_empty() => {
            settings.faults.schedule = plan.faults.to_string();
            // As the plan has them: without passwords.
            if let Some(urls) = &plan.topology.urls {
                settings.topology.replicas = plan.topology.replicas as i64;
                settings.topology.writer = Some(urls.writer.to_string());
                settings.topology.readers = urls.readers.iter().map(Conninfo::to_string).collect();
            }
            Ok(Loaded { settings: in_force(&settings, &entries), plan })
        }
        _ => Err(ConfigError { problems: distinct }),
    }
}

fn in_force(settings: &Settings, entries: &BTreeMap<String, Entry>) -> Vec<SettingOrigin> {
    let values = serde_json::to_value(settings).unwrap_or_default();
    KEYS.iter()
        .map(|key| {
            let path = key.path();
            let value = values[&key.section][&key.name].clone();
            let origin = match entries.get(&path) {
                Some(entry) => entry.origin.clone(),
                None if path == "load.seed" => Origin::Random,
                None => Origin::Default,
            };
            SettingOrigin { key: path, value, origin }
        })
        .collect()
}

/// A number that nobody has to copy in full length: nine digits at most.
pub(super) fn random_seed() -> i64 {
    (RandomState::new().hash_one(0) % 1_000_000_000) as i64
}
