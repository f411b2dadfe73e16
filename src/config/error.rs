//! Where a setting came from, and what is wrong with it.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// Built in.
    Default,
    /// Built in, for a run of one workload and nothing else.
    Workload {
        /// The workload.
        name: String,
    },
    /// Drawn for this run.
    Random,
    /// A configuration file.
    File {
        /// As it was named.
        path: String,
        /// From 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The command line.
    Flag {
        /// As it is typed: `--duration`.
        flag: String,
    },
}

impl Origin {
    /// Whether nobody has chosen it.
    pub(super) fn is_built_in(&self) -> bool {
        matches!(self, Origin::Default | Origin::Workload { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Workload { name } => write!(f, "workload {name}"),
            Origin::Random => f.write_str("random"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::Environment { variable } => f.write_str(variable),
            Origin::Flag { flag } => f.write_str(flag),
        }
    }
}

/// A line of a file, and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// From 1.
    pub line: usize,
    /// The whole line.
    pub text: String,
    /// Characters before the part.
    pub column: usize,
    /// Characters of the part.
    pub width: usize,
}

impl Excerpt {
    /// The part of `text` at the bytes of `span`, as far as it lies on one line.
    pub(super) fn of(text: &str, span: std::ops::Range<usize>) -> Excerpt {
        let start = (0..=span.start.min(text.len())).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[begin..].lines().next().unwrap_or("");
        let column = text[begin..start].chars().count();
        let rest = line.chars().count().saturating_sub(column);
        let width = text.get(start..span.end).map_or(1, |part| part.chars().count());
        Excerpt {
            line: text[..begin].matches('\n').count() + 1,
            text: masked(line),
            column,
            width: width.min(rest).max(1),
        }
    }
}

/// The line with a star for every character of what may be a password: what stands between the colon and the last `@`
/// of a URL's authority, and behind `password=`.
fn masked(line: &str) -> String {
    let mut hidden = Vec::new();
    for (at, mark) in line.match_indices("://") {
        let begin = at + mark.len();
        let rest = &line[begin..];
        let end = rest.find(['"', '\'']).unwrap_or(rest.len());
        if let (Some(colon), Some(host)) = (rest[..end].find(':'), rest[..end].rfind('@'))
            && colon < host
        {
            hidden.push(begin + colon + 1..begin + host);
        }
    }
    for (at, mark) in line.match_indices("password") {
        if let Some(equals) = line[at + mark.len()..].find('=') {
            hidden.push(at + mark.len() + equals + 1..line.len());
        }
    }
    let is_hidden = |at: usize| hidden.iter().any(|range| range.contains(&at));
    line.char_indices().map(|(at, c)| if is_hidden(at) { '*' } else { c }).collect()
}

impl fmt::Display for Excerpt {
    /// The line with its number, and carets below the part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        // A tab before the part must take the same room in both lines.
        let indent: String =
            self.text.chars().take(self.column).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        write!(f, "  {number} | {}\n  {margin} | {indent}{}", self.text, "^".repeat(self.width))
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was typed, or the name of the key if nobody typed it.
    pub place: String,
    /// What, and what would be right.
    pub message: String,
    /// The line, for a file.
    pub excerpt: Option<Excerpt>,
    /// Whether it was typed on the command line.
    pub is_usage: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.excerpt {
            Some(excerpt) => write!(f, "\n{excerpt}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong; at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of files, environment, flags, and then of keys.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// Whether the command line alone is to blame: exit code 2, and 10 otherwise.
    pub fn is_usage(&self) -> bool {
        self.problems.iter().all(|problem| problem.is_usage)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problems.len() > 1 {
            writeln!(f, "{} settings are wrong", self.problems.len())?;
        }
        for (place, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if place == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_hide_passwords() {
        for (line, shown) in [
            ("writer = \"postgres://u:p:w@x@h/d\" # x", "writer = \"postgres://u:*****@h/d\" # x"),
            (
                "readers = ['postgres://u@h:1/d', 'postgres://v:ab@h/d']",
                "readers = ['postgres://u@h:1/d', 'postgres://v:**@h/d']",
            ),
            ("writer = \"host=h password = ab\"", "writer = \"host=h password =****"),
            ("duration = \"1:2@3\"", "duration = \"1:2@3\""),
        ] {
            assert_eq!(Excerpt::of(line, 0..6).text, shown);
        }
    }

    #[test]
    fn excerpts_survive_tabs_umlauts_and_bad_spans() {
        let text = "a = 1\n\tü = \"ä\" # x\nlast";
        let start = text.find('"').unwrap();
        let excerpt = Excerpt::of(text, start..start + 4);
        assert_eq!((excerpt.line, excerpt.column, excerpt.width), (2, 5, 3));
        insta::assert_snapshot!(excerpt.to_string().replace('\t', "→"), @r#"
        2 | →ü = "ä" # x
          | →    ^^^
        "#);
        for start in 0..40 {
            for end in 0..40 {
                let _ = Excerpt::of(text, start..end).to_string();
            }
        }
        assert_eq!(Excerpt::of("", 0..0).width, 1);
    }
}
