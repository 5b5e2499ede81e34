//! Finding the program of a command.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::load::read::shown;

/// The file of a program: with a slash it is a path from `folder`, without it is looked for on
/// `search`. An error in words if there is none that can be run.
pub(super) fn find(name: &str, folder: &Path, search: Option<&OsStr>) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = folder.join(name);
        return match runnable(&path) {
            Ok(()) => Ok(path),
            Err(reason) => Err(format!("the program {} {reason}", shown(name))),
        };
    }
    let folders = search.map(std::env::split_paths).into_iter().flatten();
    folders
        .map(|folder| folder.join(name))
        .find(|path| runnable(path).is_ok())
        .ok_or_else(|| format!("the program {} is not on the PATH", shown(name)))
}

fn runnable(path: &Path) -> Result<(), &'static str> {
    match std::fs::metadata(path) {
        Err(_) => Err("is not there"),
        Ok(found) if found.is_dir() => Err("is a directory"),
        Ok(_) if access(path, Access::EXEC_OK).is_err() => Err("is not executable"),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_path_or_on_the_path() {
        let here = tempfile::tempdir().unwrap();
        let search = Some(OsStr::new("/no/such:/bin:/usr/bin"));
        assert!(find("sh", here.path(), search).unwrap().ends_with("bin/sh"));
        assert!(
            find("sh", here.path(), None)
                .unwrap_err()
                .contains("not on the PATH")
        );
        assert!(
            find("./x", here.path(), search)
                .unwrap_err()
                .contains("not there")
        );
        std::fs::write(here.path().join("x"), "").unwrap();
        assert!(
            find("./x", here.path(), search)
                .unwrap_err()
                .contains("not executable")
        );
        std::fs::create_dir(here.path().join("d")).unwrap();
        assert!(
            find("./d", here.path(), search)
                .unwrap_err()
                .contains("directory")
        );
        assert!(find("/bin/sh", here.path(), None).is_ok());
    }
}
