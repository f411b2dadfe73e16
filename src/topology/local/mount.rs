//! A file system of its own for each node, small enough to be filled: mounted by replab, and unmounted with the cluster.
//!
//! What is unmounted is found in the system's own table, so that it is ours, there, and nothing else.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::topology::TopologyError;
use crate::topology::process::Account;

/// What the table calls our mounts.
const SOURCE: &str = "replab";

/// The part of the kernel's privileges that mounting takes (manual page capabilities(7), `CAP_SYS_ADMIN`).
const SYS_ADMIN: u32 = 21;

/// Whether replab may mount file systems here, which `fill-disk` takes: on Linux, as root.
///
/// # Errors
/// [`TopologyError::NoMount`], which says why not.
pub fn check() -> Result<(), TopologyError> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    match refusal(nix::unistd::Uid::effective().is_root(), &status) {
        None => Ok(()),
        Some(why) => Err(TopologyError::NoMount(why)),
    }
}

/// Why a process of this user, with this `/proc/self/status`, may not mount. A guard that is another program has the
/// privileges of root only where it is root's.
fn refusal(is_root: bool, status: &str) -> Option<String> {
    if !is_root {
        return Some("that needs root, and this is another user".to_owned());
    }
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    match effective {
        None => Some("that works on Linux only".to_owned()),
        Some(bits) if bits >> SYS_ADMIN & 1 == 0 => {
            Some("this is root, but without CAP_SYS_ADMIN, as in most containers".to_owned())
        }
        Some(_) => None,
    }
}

/// Mounts an empty file system of `bytes` on the directory `path`, for `account` alone.
#[cfg(target_os = "linux")]
pub(super) fn mount(path: &Path, bytes: u64, account: Option<&Account>) -> Result<(), TopologyError> {
    use nix::mount::MsFlags;

    let owner = account.map(|account| format!(",uid={},gid={}", account.uid, account.gid));
    let options = format!("size={bytes},mode=0700{}", owner.unwrap_or_default());
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    nix::mount::mount(Some(SOURCE), path, Some("tmpfs"), flags, Some(options.as_str()))
        .map_err(|errno| TopologyError::NoMount(format!("mount {}: {}", path.display(), errno.desc())))
}

/// [`check`] has refused before.
#[cfg(not(target_os = "linux"))]
pub(super) fn mount(path: &Path, _: u64, _: Option<&Account>) -> Result<(), TopologyError> {
    Err(TopologyError::NoMount(format!("mount {}: that works on Linux only", path.display())))
}

/// Unmounts what replab has mounted for the cluster in `directory`, whose processes have ended. Where somebody else
/// stands on one of them, it is gone from the table at once, and its memory is given back when they leave.
pub(super) fn unmount_all(directory: &Path) -> io::Result<()> {
    for attempt in 0..50 {
        let mounted = mounted(directory)?;
        if mounted.is_empty() {
            return Ok(());
        }
        if attempt > 0 {
            // Who was killed may not have let go yet.
            thread::sleep(Duration::from_millis(10));
        }
        // What was mounted last lies on top.
        for path in mounted.iter().rev() {
            unmount(path, attempt > 20)?;
        }
    }
    Err(io::Error::other("it is still mounted"))
}

#[cfg(target_os = "linux")]
fn unmount(path: &Path, lazily: bool) -> io::Result<()> {
    use nix::errno::Errno;
    use nix::mount::{MntFlags, umount2};

    let how = if lazily { MntFlags::MNT_DETACH } else { MntFlags::empty() };
    match umount2(path, how | MntFlags::UMOUNT_NOFOLLOW) {
        Err(Errno::EBUSY) => Ok(()),
        // Somebody else was faster.
        Err(Errno::EINVAL | Errno::ENOENT) => Ok(()),
        done => done.map_err(io::Error::from),
    }
}

#[cfg(not(target_os = "linux"))]
fn unmount(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

/// Where replab has mounted something for the cluster in `directory`.
fn mounted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read("/proc/self/mountinfo") {
        Ok(table) => Ok(ours(&table, directory)),
        // A system without the table has none of our mounts.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The mount points in `table` (manual page proc_pid_mountinfo(5)) that are a node's of the cluster in `directory`, and of
/// our own making.
fn ours(table: &[u8], directory: &Path) -> Vec<PathBuf> {
    let nodes = directory.join("nodes");
    let point = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ');
        let (root, point) = (fields.nth(3)?, fields.next()?);
        let mut of_type = fields.skip_while(|field| *field != b"-").skip(1);
        let (kind, source) = (of_type.next()?, of_type.next()?);
        let point = PathBuf::from(OsString::from_vec(unescaped(point)));
        let is_ours = root == b"/" && kind == b"tmpfs" && source == SOURCE.as_bytes();
        (is_ours && point.parent() == Some(&nodes)).then_some(point)
    };
    table.split(|byte| *byte == b'\n').filter_map(point).collect()
}

/// A field of the table, in which blanks and backslashes are written as three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, others)) = rest.split_first() {
        let digits = others
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::ffi::OsStr::from_bytes(digits).to_str()?, 8).ok());
        bytes.push(digits.unwrap_or(*first));
        rest = if digits.is_some() { &others[3..] } else { others };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_not_mount_is_told_why() {
        let capable = "Name:\treplab\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n";
        let contained = "Name:\treplab\nCapEff:\t00000000a80425fb\n";
        assert_eq!(refusal(true, capable), None);
        assert!(refusal(false, capable).unwrap().contains("another user"));
        assert!(refusal(true, contained).unwrap().contains("without CAP_SYS_ADMIN"));
        assert!(refusal(true, "").unwrap().contains("Linux"));
        let error = TopologyError::NoMount(refusal(false, capable).unwrap());
        assert_eq!(error.category(), crate::topology::Category::Environment);
        assert!(error.help().is_some());
    }

    #[test]
    fn only_what_replab_has_mounted_for_this_cluster_is_ours() {
        let table = b"\
22 27 0:21 / /proc rw,relatime - proc proc rw\n\
90 27 0:50 / /var/a\\040b/clusters/x-1/nodes/primary rw,nosuid shared:7 master:1 - tmpfs replab rw,size=1k\n\
91 27 0:51 / /var/a\\040b/clusters/x-1/nodes/replica-1 rw,nosuid - tmpfs replab rw,size=1k\n\
92 27 0:52 / /var/a\\040b/clusters/x-1/nodes/replica-2 rw,nosuid - tmpfs tmpfs rw\n\
93 27 0:53 / /var/a\\040b/clusters/x-1/nodes/replica-3 rw,nosuid - ext4 replab rw\n\
94 27 0:50 /data /var/a\\040b/clusters/x-1/nodes/bound rw,nosuid - tmpfs replab rw\n\
95 27 0:54 / /var/a\\040b/clusters/x-1/nodes/primary/data rw - tmpfs replab rw\n\
96 27 0:55 / /var/a\\040b/clusters/x-10/nodes/primary rw - tmpfs replab rw\n\
97 27\n";
        let directory = Path::new("/var/a b/clusters/x-1");
        assert_eq!(
            ours(table, directory),
            [directory.join("nodes/primary"), directory.join("nodes/replica-1")]
        );
        assert_eq!(unescaped(b"a\\134\\04"), b"a\\\\04");
    }
}
