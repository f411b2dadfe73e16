//! Text of a given width, with or without colours.

use super::Look;
use super::grid::fitted;
use super::wrap::wrapped;
use crate::report::outcome::Tone;

/// A summary being written.
pub(in crate::report) struct Sheet {
    text: String,
    color: bool,
    width: usize,
}

const INDENT: usize = 4;
const BOLD: &str = "1";
const DIM: &str = "2";

impl Sheet {
    pub(in crate::report) fn new(look: Look) -> Sheet {
        Sheet { text: String::new(), color: look.color, width: look.width.max(60) }
    }

    pub(in crate::report) fn finish(self) -> String {
        self.text
    }

    /// `✗ INVALID  orders on …`, the rest going on below itself: it identifies the run, so nothing of it is left out.
    pub(in crate::report) fn headline(&mut self, tone: Tone, word: &str, rest: &str) {
        let hanging = word.chars().count() + 4;
        let verdict = self.painted(&format!("{} {word}", tone.mark()), &format!("1;{}", color(tone)));
        for (place, line) in wrapped(rest, self.width - hanging).iter().enumerate() {
            let before = if place == 0 { format!("{verdict}  ") } else { " ".repeat(hanging) };
            self.line(&format!("{before}{line}"));
        }
    }

    /// A heading, with a blank line before it.
    pub(in crate::report) fn title(&mut self, text: &str) {
        let title = self.painted(text, BOLD);
        self.line("");
        self.line(&format!("  {title}"));
    }

    /// A marked name of at least `name_width` columns with wrapped text beside it, or below it where it is too long.
    pub(in crate::report) fn item(&mut self, tone: Tone, name_width: usize, name: &str, text: &str) {
        let room = self.width.saturating_sub(INDENT + 4);
        let name_width = name_width.min(self.width / 2 - INDENT - 2);
        let names = wrapped(name, room);
        let mark = self.painted(tone.mark(), color(tone));
        let (last, before) =
            names.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        for (place, name) in before.iter().enumerate() {
            let lead = if place == 0 { mark.as_str() } else { " " };
            self.line(&format!("{:INDENT$}{lead} {name}", ""));
        }
        let lead = if before.is_empty() { mark.as_str() } else { " " };
        let hanging = INDENT + 2 + name_width + 2;
        let lines = wrapped(text, self.width - hanging);
        let mut lines = lines.iter().map(String::as_str);
        let first = if last.chars().count() > name_width { "" } else { lines.next().unwrap_or_default() };
        let first = format!("{:INDENT$}{lead} {last:<name_width$}  {first}", "");
        self.line(first.trim_end());
        for line in lines {
            self.line(&format!("{:hanging$}{line}", ""));
        }
    }

    /// Wrapped text after `lead`.
    pub(in crate::report) fn paragraph(&mut self, lead: &str, text: &str) {
        let hanging = INDENT + lead.chars().count();
        for (place, line) in wrapped(text, self.width - hanging).iter().enumerate() {
            let lead = if place == 0 { lead } else { "" };
            let before = format!("{:INDENT$}{lead}", "");
            self.line(&format!("{before:<hanging$}{line}"));
        }
    }

    /// A remark under a table.
    pub(in crate::report) fn remark(&mut self, text: &str) {
        for line in wrapped(text, self.width - INDENT) {
            let line = self.painted(&line, DIM);
            self.line(&format!("{:INDENT$}{line}", ""));
        }
    }

    /// A shell command, continued with backslashes so that it can be copied.
    pub(in crate::report) fn command(&mut self, command: &str) {
        let mut line = String::new();
        let mut lines = Vec::new();
        for word in command.split_inclusive(' ') {
            let quoted = line.matches('\'').count() % 2 == 1 || line.matches('"').count() % 2 == 1;
            let full = line.chars().count() + word.chars().count() > self.width - INDENT - 4;
            if full && !quoted && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(word);
        }
        lines.push(line);
        let last = lines.len() - 1;
        for (place, line) in lines.iter().enumerate() {
            let (before, after) =
                (if place == 0 { "" } else { "  " }, if place == last { "" } else { " \\" });
            for part in wrapped(&format!("{}{after}", line.trim_end()), self.width - INDENT - before.len()) {
                self.line(&format!("{:INDENT$}{before}{part}", ""));
            }
        }
    }

    /// The last line: what decided, and the exit code at the right edge.
    pub(in crate::report) fn verdict(&mut self, tone: Tone, word: &str, reason: &str, exit: u8) {
        self.line("");
        let exit = format!("exit {exit}");
        let lines = wrapped(&format!("{} {word}: {reason}", tone.mark()), self.width - exit.len() - 2);
        let last = lines.len().saturating_sub(1);
        for (place, line) in lines.iter().enumerate() {
            let fill = self.width - exit.len() - line.chars().count();
            let painted = self.painted(line, &format!("1;{}", color(tone)));
            self.line(&if place == last { format!("{painted}{:fill$}{exit}", "") } else { painted });
        }
    }

    /// A table; see [`fitted`]. Returns the columns that it gave up.
    pub(in crate::report) fn table(
        &mut self,
        header: &[String],
        rows: &[Vec<String>],
        text: usize,
        spare: &[usize],
    ) -> Vec<usize> {
        let (lines, dropped) = fitted(header, rows, text, spare, self.width);
        lines.iter().for_each(|line| self.line(line));
        dropped
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "32",
        Tone::Bad => "31",
        Tone::Unknown => "33",
        Tone::Observed => "35",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stays_one_command() {
        let mut sheet = Sheet::new(Look { color: false, width: 60 });
        sheet.command(
            "replab run orders --fault 'crash(primary)@8s, restart(replica-1)@16s' --seed 42 --duration 30s",
        );
        let joined = sheet.finish().replace(" \\\n", " ");
        let words: Vec<&str> = joined.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "replab run orders --fault 'crash(primary)@8s, restart(replica-1)@16s' --seed 42 --duration 30s"
        );
    }
}
