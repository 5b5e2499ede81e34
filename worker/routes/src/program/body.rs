//! What a program reads.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::process::Stdio;

/// A body as the stdin of a program: whole, at its start, and not to be changed by who reads it.
///
/// It is a file and no pipe: a pipe that ends early because its writer was killed looks to the
/// reader like one that ended, and a program would work half a body as a whole one.
pub(super) fn stdin(body: &[u8]) -> io::Result<Stdio> {
    let mut file = nameless()?;
    file.write_all(body)?;
    file.rewind()?;
    seal(&file)?;
    Ok(file.into())
}

#[cfg(target_os = "linux")]
fn nameless() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // A hardened kernel wants to hear that nobody will execute it, an old one does not know the
    // word.
    let file = memfd_create("body", flags | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create("body", flags))?;
    Ok(file.into())
}

#[cfg(target_os = "linux")]
fn seal(file: &File) -> io::Result<()> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    Ok(fcntl_add_seals(file, seals)?)
}

#[cfg(not(target_os = "linux"))]
fn nameless() -> io::Result<File> {
    let name = format!(
        "longshore-{}-{:016x}",
        std::process::id(),
        fastrand::u64(..)
    );
    let path = std::env::temp_dir().join(name);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn seal(_: &File) -> io::Result<()> {
    Ok(())
}
