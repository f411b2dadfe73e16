//! The file that takes all that is left of a disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

const NAME: &str = "ballast";
/// The least that a file takes.
const BLOCK: usize = 4_096;
/// What is written at a time, until it does not fit any more.
const CHUNK: usize = 1 << 20;
/// What is reserved at a time.
#[cfg(target_os = "linux")]
const PART: i64 = 16 << 20;
/// A server gives back what it had taken, a segment of its log at a time; each time that is taken, too.
const ATTEMPTS: usize = 1_000;

/// A file that is there to be in the way, as it was when the disk was full.
#[derive(Clone, Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    file: Shape,
    /// What the whole file system can hold, in bytes.
    capacity: u64,
}

/// Which file it is, and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    device: u64,
    inode: u64,
    bytes: u64,
}

impl Ballast {
    /// Takes all that is left on the file system of `directory`, and shows that one block more does not fit.
    pub(super) fn put(directory: &Path) -> io::Result<Ballast> {
        let path = directory.join(NAME);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        for _ in 0..ATTEMPTS {
            reserve(&file, free(directory)?);
            file.seek(SeekFrom::End(0))?;
            write_until_full(&mut file)?;
            if !has_room(directory)? {
                let capacity = capacity(directory)?;
                return Ok(Ballast { file: Shape::of(&path)?, path, capacity });
            }
        }
        Err(io::Error::other("whatever is taken, there is more"))
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes
    }

    /// What has become of it, if it does not take any more what it took, of a disk of the same size.
    ///
    /// Room may be there all the same, and the disk was full all the same: a server whose log has reached a checkpoint
    /// removes what it does not need any more, and has that much until it has written it.
    pub(super) fn lost(&self, directory: &Path) -> Option<String> {
        let whole = match capacity(directory) {
            Ok(whole) => whole,
            Err(error) => return Some(error.to_string()),
        };
        match Shape::of(&self.path) {
            Err(error) => Some(format!("the file that filled its disk: {error}")),
            Ok(now) if now != self.file => Some("the file that filled its disk is another by now".to_owned()),
            Ok(_) if whole != self.capacity => Some(format!(
                "its disk holds {whole} bytes by now, and held {} when it was full",
                self.capacity
            )),
            Ok(_) => None,
        }
    }

    /// Removes it.
    pub(super) fn lift(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

impl Shape {
    fn of(path: &Path) -> io::Result<Shape> {
        let data = fs::symlink_metadata(path)?;
        // The unit is the manual's (stat(2)), whatever the file system's blocks are.
        Ok(Shape { device: data.dev(), inode: data.ino(), bytes: data.blocks() * 512 })
    }
}

/// Removes what somebody else, who is gone, has put there.
pub(super) fn discard(directory: &Path) -> io::Result<()> {
    match fs::remove_file(directory.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Whether a new file of one block fits on the file system of `directory`.
pub(super) fn has_room(directory: &Path) -> io::Result<bool> {
    let path = directory.join("probe");
    let written = File::create(&path).and_then(|mut file| file.write_all(&[1; BLOCK]));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match written {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(false),
        written => written.map(|()| true),
    }
}

/// What is left on the file system of `directory`, in bytes.
pub(super) fn free(directory: &Path) -> io::Result<u64> {
    let sizes = statvfs(directory)?;
    Ok(number(sizes.blocks_available()) * number(sizes.fragment_size()))
}

fn capacity(directory: &Path) -> io::Result<u64> {
    let sizes = statvfs(directory)?;
    Ok(number(sizes.blocks()) * number(sizes.fragment_size()))
}

/// The system's types differ in their width.
fn number(size: impl Into<u64>) -> u64 {
    size.into()
}

/// Takes most of it at once: what is written page by page takes longer. What cannot be reserved is written.
#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: u64) {
    use nix::fcntl::{FallocateFlags, fallocate};

    // In parts, as a part that does not fit, because the server has taken of it meanwhile, is given back as a whole.
    let parts = bytes.div_ceil(PART as u64);
    for _ in 0..parts {
        let end = file.metadata().map_or(0, |data| data.len());
        let Ok(end) = i64::try_from(end) else { return };
        if fallocate(file, FallocateFlags::empty(), end, PART).is_err() {
            return;
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: u64) {}

fn write_until_full(file: &mut File) -> io::Result<()> {
    let zeros = vec![0; CHUNK];
    loop {
        match file.write(&zeros) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
