//! How a network is disturbed, as text: `clients,in`, `latency=20ms,jitter=5ms,bandwidth=1MB`.

use std::num::NonZeroU64;

use crate::history::{Cut, Nanos, Side, Slowness, Way};
use crate::suggest::hint;

use super::{duration, format_duration};

/// Units of a bandwidth, in bytes a second, the largest first.
const UNITS: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)];
/// Below this, a login takes minutes.
const THINNEST: u64 = 1_000;
/// Longer than this, nobody waits for an answer.
const LONGEST: Nanos = Nanos::from_millis(60_000);

/// Reads the arguments of `isolate`: a side, then a way.
pub(super) fn cut(words: &[&str]) -> Result<Cut, String> {
    match words {
        [] => Ok(Cut::WHOLE),
        [word] => Ok(Cut { side: side(word)?, way: Way::Both }),
        [word, way_word] => Ok(Cut { side: side(word)?, way: way(way_word)? }),
        [_, _, more, ..] => Err(format!("`isolate` takes a node, a side and a way, but found `{more}` too")),
    }
}

/// Reads the argument of `reset`.
pub(super) fn reset(words: &[&str]) -> Result<Side, String> {
    match words {
        [] => Ok(Side::Both),
        [word] => side(word),
        [_, more, ..] => Err(format!("`reset` takes a node and a side, but found `{more}` too")),
    }
}

/// Reads the arguments of `slow`, in any order.
pub(super) fn slowness(words: &[&str]) -> Result<Slowness, String> {
    const KEYS: [&str; 3] = ["latency", "jitter", "bandwidth"];
    let (mut sides, mut lengths, mut bandwidth) = (None, [None, None], None);
    for word in words {
        let again = || format!("`{word}` says again what was said before");
        let Some((key, value)) = word.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            let known = |_| {
                format!(
                    "`{word}` is neither a side (clients, peers or both) nor, such as latency=20ms, a latency, jitter or bandwidth"
                )
            };
            if sides.replace(side(word).map_err(known)?).is_some() {
                return Err(again());
            }
            continue;
        };
        let known = match KEYS.iter().position(|known| *known == key) {
            Some(2) => bandwidth.replace(rate(value)?).is_none(),
            Some(place) => lengths[place].replace(length(key, value)?).is_none(),
            None => {
                let hint = hint(key, KEYS);
                return Err(format!("`slow` takes no `{key}`{hint}; known are {}", KEYS.join(", ")));
            }
        };
        if !known {
            return Err(again());
        }
    }
    let [latency, jitter] = lengths.map(|length| length.unwrap_or(Nanos(0)));
    if latency.max(jitter) == Nanos(0) && bandwidth.is_none() {
        let examples = "latency=20ms, jitter=5ms or bandwidth=1MB";
        return Err(format!("`slow` needs to be told how: {examples}, or several of them"));
    }
    Ok(Slowness { side: sides.unwrap_or(Side::Both), latency, jitter, bandwidth })
}

/// Writes a cut such that [`cut`] reads the same one, each argument after a comma.
pub(super) fn format_cut(cut: Cut) -> String {
    match cut {
        Cut::WHOLE => String::new(),
        Cut { side, way: Way::Both } => format!(",{}", side.word()),
        Cut { side, way } => format!(",{},{}", side.word(), way.word()),
    }
}

/// The same for [`reset`].
pub(super) fn format_reset(side: Side) -> String {
    format_cut(Cut { side, way: Way::Both })
}

/// The same for [`slowness`].
pub(super) fn format_slowness(slowness: Slowness) -> String {
    let mut text = format_reset(slowness.side);
    for (key, length) in [("latency", slowness.latency), ("jitter", slowness.jitter)] {
        if length > Nanos(0) {
            text += &format!(",{key}={}", format_duration(length));
        }
    }
    if let Some(rate) = slowness.bandwidth {
        let (name, unit) =
            UNITS.into_iter().find(|(_, unit)| rate.get().is_multiple_of(*unit)).unwrap_or(("B", 1));
        text += &format!(",bandwidth={}{name}", rate.get() / unit);
    }
    text
}

fn side(word: &str) -> Result<Side, String> {
    let known = Side::ALL.into_iter().find(|side| side.word() == word);
    known.ok_or_else(|| {
        let hint = hint(word, Side::ALL.map(Side::word));
        format!("`{word}` is not a side{hint}; known are clients, peers and both")
    })
}

fn way(word: &str) -> Result<Way, String> {
    let known = Way::ALL.into_iter().find(|way| way.word() == word);
    known.ok_or_else(|| format!("`{word}` is not a way; known are in, out and both, as the node sees it"))
}

fn length(key: &str, text: &str) -> Result<Nanos, String> {
    let length = duration(text).map_err(|error| error.to_string())?;
    if length > LONGEST { Err(format!("a {key} of {text} is longer than 1m")) } else { Ok(length) }
}

/// Reads `1MB`, `64KB`, `1500B`: bytes a second.
fn rate(text: &str) -> Result<NonZeroU64, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = UNITS.iter().find(|(name, _)| *name == &text[number.len()..]).map(|(_, unit)| *unit);
    let rate = unit.and_then(|unit| number.trim_end().parse::<u64>().ok()?.checked_mul(unit));
    let rate = rate.ok_or_else(|| {
        format!("`{text}` is not a bandwidth: it needs a whole number of bytes a second with a unit, such as 64KB, 1MB or 1GB")
    })?;
    NonZeroU64::new(rate)
        .filter(|rate| rate.get() >= THINNEST)
        .ok_or_else(|| format!("a bandwidth of {text} is less than 1KB a second"))
}
