//! The system's table of processes: `/proc` on Linux, `ps` elsewhere.

use std::path::PathBuf;

use super::Identity;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::topology) struct Row {
    pub(in crate::topology) identity: Identity,
    pub(in crate::topology) parent: i32,
    pub(in crate::topology) zombie: bool,
    /// By a signal, until another lets it go on.
    pub(in crate::topology) stopped: bool,
    /// Its program's name.
    pub(in crate::topology) name: String,
    /// Its working directory, where the system tells.
    pub(in crate::topology) directory: Option<PathBuf>,
}

impl Row {
    pub(in crate::topology) fn pid(&self) -> i32 {
        self.identity.pid
    }
}

/// The process with this number.
#[cfg(target_os = "linux")]
pub(super) fn row(pid: i32) -> Option<Row> {
    linux(pid)
}

/// Every process.
#[cfg(target_os = "linux")]
pub(super) fn rows() -> Vec<Row> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    pids.filter_map(|pid| {
        let directory = std::fs::read_link(format!("/proc/{pid}/cwd")).ok();
        Some(Row { directory, ..linux(pid)? })
    })
    .collect()
}

/// `proc(5)`: the second field is the name in parentheses, which may hold anything; the rest is separated by spaces.
#[cfg(target_os = "linux")]
fn linux(pid: i32) -> Option<Row> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    Some(Row {
        identity: Identity { pid, start: format!("{} {}", boot(), fields.get(19)?) },
        parent: fields.get(1)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        stopped: *fields.first()? == "T",
        name: head.split_once('(')?.1.to_owned(),
        directory: None,
    })
}

/// Which boot of the machine this is: the system counts the start of a process from there.
#[cfg(target_os = "linux")]
fn boot() -> &'static str {
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    })
}

/// The calls that wait for a file descriptor.
#[cfg(target_os = "linux")]
pub(super) const WAITS: &[i64] = &[
    nix::libc::SYS_epoll_pwait,
    nix::libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    nix::libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    nix::libc::SYS_poll,
];

/// The call that a stopped process is in, -1 in none (`proc(5)`); `None` where the system does not tell us.
#[cfg(target_os = "linux")]
pub(super) fn system_call(pid: i32) -> Option<i64> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    line.split_whitespace().next()?.parse().ok()
}

/// The calls that wait for a file descriptor.
#[cfg(not(target_os = "linux"))]
pub(super) const WAITS: &[i64] = &[];

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn system_call(_pid: i32) -> Option<i64> {
    None
}

/// The process with this number.
#[cfg(not(target_os = "linux"))]
pub(super) fn row(pid: i32) -> Option<Row> {
    ps(&["-p", &pid.to_string()]).pop()
}

/// Every process.
#[cfg(not(target_os = "linux"))]
pub(super) fn rows() -> Vec<Row> {
    ps(&["-A"])
}

/// What `ps` says; nothing if there is no `ps`.
#[cfg(any(test, not(target_os = "linux")))]
fn ps(selection: &[&str]) -> Vec<Row> {
    let mut command = std::process::Command::new("ps");
    command.env("LC_ALL", "C").args(selection).args(["-o", "pid=,ppid=,stat=,lstart="]);
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().filter_map(ps_line).collect()
}

#[cfg(any(test, not(target_os = "linux")))]
fn ps_line(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    let pid = words.next()?.parse().ok()?;
    let parent = words.next()?.parse().ok()?;
    let state = words.next()?;
    let (zombie, stopped) = (state.starts_with('Z'), state.starts_with('T'));
    let start = words.collect::<Vec<_>>().join(" ");
    Some(Row {
        identity: Identity { pid, start },
        parent,
        zombie,
        stopped,
        name: String::new(),
        directory: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_itself_and_its_parent() {
        let own = i32::try_from(std::process::id()).unwrap();
        let found = rows().into_iter().find(|row| row.pid() == own).unwrap();
        assert!(!found.zombie);
        assert_eq!(row(own).unwrap().identity, found.identity);
        assert_eq!(Identity::of_self(), Some(found.identity));
        #[cfg(target_os = "linux")]
        assert_eq!(found.directory, std::env::current_dir().unwrap().canonicalize().ok());
    }

    #[test]
    fn reads_a_line_of_ps() {
        let row = ps_line("  812     1 Ss   Mon Nov 23 10:00:00 2026").unwrap();
        assert_eq!((row.pid(), row.parent, row.zombie), (812, 1, false));
        assert_eq!(row.identity.start, "Mon Nov 23 10:00:00 2026");
        assert!(ps_line("812 1 Z+ x").unwrap().zombie && ps_line("812 1 T x").unwrap().stopped);
        let own = i32::try_from(std::process::id()).unwrap();
        let all = ps(&["-A"]);
        assert!(
            all.is_empty() || all.iter().any(|row| row.pid() == own && !row.zombie),
            "there is a ps: {all:?}"
        );
        assert_eq!(ps_line("not a process"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_call_is_told_from_the_outside() {
        let own = i32::try_from(std::process::id()).unwrap();
        let call = system_call(own);
        assert!(call.is_none_or(|call| !WAITS.contains(&call)), "it works just now: {call:?}");
        assert_eq!(system_call(i32::MAX), None);
    }

    #[test]
    fn a_number_used_again_is_another_process() {
        let mut own = Identity::of_self().unwrap();
        assert!(own.is_alive());
        own.start.push('0');
        assert!(!own.is_alive() && !own.signal(nix::sys::signal::Signal::SIGKILL));
    }
}
