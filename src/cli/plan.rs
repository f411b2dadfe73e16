//! From arguments to settings, with the environment of this process.

use std::path::PathBuf;

use super::args::Place;
use super::{Exit, Failure};
use crate::config::{self, ConfigError, Loaded, Overrides};

/// Where the runs are kept.
pub(super) fn runs(place: &Place) -> Result<PathBuf, Failure> {
    let flags = Overrides { runs: place.runs.clone(), ..Overrides::default() };
    settings(&flags, place).map(|loaded| loaded.plan.runs)
}

/// Every setting.
pub(super) fn settings(flags: &Overrides, place: &Place) -> Result<Loaded, Failure> {
    config::load(flags, place.config.as_deref(), variables()).map_err(failure)
}

/// The environment of this process.
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    // A variable that is not text cannot be one of ours, unless its name is; then its value is no valid one either.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}

/// Settings that are wrong.
pub(super) fn failure(error: ConfigError) -> Failure {
    if error.is_usage() {
        Failure::new(Exit::Usage, error).help("the command's --help explains every flag")
    } else {
        Failure::new(Exit::Config, error)
            .help("`replab config init` prints a file with every key and its default\n`replab config show` tells where each value comes from")
    }
}
