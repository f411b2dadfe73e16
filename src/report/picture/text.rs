//! Text of a known width.

use crate::report::words;

/// Width of a character of code, in the units of the picture.
pub(super) const CODE: f64 = 6.95;
/// The most lines of operations under a bar.
const LINES: usize = 2;

/// Text that steers nothing: on one line, without control characters and without those that turn the direction of
/// writing or that no XML may hold.
pub(in crate::report) fn shown(text: &str) -> String {
    let is_odd =
        |c: &char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}');
    words::plain(&text.chars().filter(|c| !is_odd(c)).collect::<String>())
}

/// How many columns `text` has in a font of one width; of other scripts, two a character.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{FFEF}' | '\u{1F000}'.. => 2,
        _ => 1,
    }
}

/// At most `most` columns of `text`: its beginning and its end, where the newest elements of a list are.
pub(in crate::report) fn shorten(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(1);
    let tail = room / 2;
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let fits = |c: &char| {
            used += width(*c);
            used <= room
        };
        chars.take_while(fits).collect::<Vec<char>>()
    };
    let begin = take(&mut text.chars(), room - tail);
    let end = take(&mut text.chars().rev(), tail);
    begin.into_iter().chain(['…']).chain(end.into_iter().rev()).collect()
}

/// A part of a line: its text, and whether the picture is about it.
pub(super) type Part = (String, bool);

/// Operations in at most two lines of `most` columns. Where they do not fit, those that the picture is about stay longest.
pub(super) fn lines(operations: &[(String, bool)], most: usize) -> Vec<Vec<Part>> {
    let all: Vec<Part> =
        operations.iter().map(|(text, is_marked)| (shorten(&shown(text), most - 2), *is_marked)).collect();
    if let Some(lines) = packed(&all, most) {
        return lines;
    }
    let is_about_some = all.iter().any(|(_, is_marked)| *is_marked);
    for length in [most - 2, most / 2, most / 3, 18].into_iter().filter(|_| is_about_some) {
        let short = |(text, _): &Part| (shorten(text, length), true);
        let mut kept: Vec<Part> = Vec::new();
        for part in &all {
            match kept.last() {
                _ if part.1 => kept.push(short(part)),
                Some((text, false)) if text == "…" => {}
                _ => kept.push(("…".to_owned(), false)),
            }
        }
        if let Some(lines) = packed(&kept, most) {
            return lines;
        }
    }
    // As many as fit.
    let short: Vec<Part> = all.iter().map(|(text, is_marked)| (shorten(text, 18), *is_marked)).collect();
    let end = [("…".to_owned(), false)];
    let fitting = (0..short.len()).rev().find_map(|count| packed(&[&short[..count], &end].concat(), most));
    fitting.unwrap_or_default()
}

/// The parts with commas between them, or `None` where they need more lines.
fn packed(parts: &[Part], most: usize) -> Option<Vec<Vec<Part>>> {
    let mut lines: Vec<Vec<Part>> = vec![Vec::new()];
    let mut used = 0;
    for (place, (text, is_marked)) in parts.iter().enumerate() {
        let comma = if place + 1 < parts.len() { ", " } else { "" };
        let width = columns(text) + comma.trim_end().len();
        if used > 0 && used + width > most {
            if let Some((last, _)) = lines.last_mut().and_then(|line| line.last_mut()) {
                last.truncate(last.trim_end().len());
            }
            lines.push(Vec::new());
            used = 0;
        }
        used += columns(text) + comma.len();
        lines.last_mut()?.push((format!("{text}{comma}"), *is_marked));
    }
    (lines.len() <= LINES).then_some(lines)
}

/// Words of a proportional font in lines of at most `width` units.
pub(super) fn wrapped(text: &str, width: f64) -> Vec<String> {
    const LETTER: f64 = 6.6;
    let most = (width / LETTER) as usize;
    let mut lines = vec![String::new()];
    for word in shown(text).split(' ') {
        let word = shorten(word, most);
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(&word);
        } else if columns(line) + 1 + columns(&word) > most {
            lines.push(word);
        } else {
            line.push(' ');
            line.push_str(&word);
        }
    }
    lines
}
