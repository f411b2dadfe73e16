//! The machine, in the few lines that a reader of figures asks for.

use std::fs;

/// Cores that this process may use.
pub(super) fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// System, kernel, cores and memory: a line each, those that are not known left out.
pub(super) fn lines() -> Vec<String> {
    let system = field("/etc/os-release", "PRETTY_NAME=").map(|name| name.trim_matches('"').to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")
        .ok()
        .map(|release| format!("kernel {}", release.trim()));
    let model = field("/proc/cpuinfo", "model name")
        .map(|model| model.trim_start_matches([' ', '\t', ':']).to_owned());
    let processor = match model {
        Some(model) => format!("{} cores, {model}", cores()),
        None => format!("{} cores", cores()),
    };
    let memory = field("/proc/meminfo", "MemTotal:")
        .and_then(|text| text.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .map(|kib| format!("{:.1} GiB of memory", kib as f64 / f64::from(1 << 20)));
    [system, kernel, Some(processor), memory].into_iter().flatten().collect()
}

/// The rest of the first line of `path` that begins with `prefix`.
fn field(path: &str, prefix: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(prefix)).map(str::to_owned)
}
