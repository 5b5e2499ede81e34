//! Opening a file that an intake found.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;

use crate::intake::listing::Found;

/// Opens a file of an intake to read it. Between the look at the folder and this call another
/// process may have put something else in its place: a pipe is not waited for, and what is not the
/// file that was found is refused. Below the part of a pattern that is written out no link is
/// followed, or any user who may write there could have any file of this user read.
pub(super) fn reading(found: &Found) -> io::Result<File> {
    let file = match found.below.as_deref() {
        Some(root) => without_links(root, &found.path)?,
        None => OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&found.path)?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.ino() != found.stat.inode {
        let what = "another thing was put in its place while it was opened";
        return Err(io::Error::new(io::ErrorKind::NotFound, what));
    }
    Ok(file)
}

fn without_links(root: &Path, path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let Ok(relative) = path.strip_prefix(root) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let folder = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    let folder = open(root, folder, Mode::empty())?;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    match openat2(&folder, relative, flags, Mode::empty(), resolve) {
        Ok(file) => Ok(file.into()),
        // A kernel or a sandbox without the call: at least the last part is no link.
        Err(Errno::NOSYS | Errno::PERM) => {
            Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?.into())
        }
        Err(error) => Err(error.into()),
    }
}
