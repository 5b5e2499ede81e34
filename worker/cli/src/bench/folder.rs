//! Folders of scratch files.

use std::path::{Path, PathBuf};

use crate::error::{CliError, Result, of_file};
use crate::exit::Exit;
use crate::output::complain;

/// A folder that goes away with its content.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A new one beside a file, or in a folder.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        let parent = if path.is_dir() {
            path
        } else {
            match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            }
        };
        let parent = parent
            .canonicalize()
            .map_err(|error| of_file(parent, &error))?;
        Self::create(parent.join(format!(".longshore-bench-{}", std::process::id())))
    }

    /// Never takes over a folder that is there already.
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(CliError::new(
                Exit::Failed,
                format!(
                    "the scratch folder \"{}\" cannot be made: {error}; name a store in a folder \
                     where this user may write",
                    path.display()
                ),
            )),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            complain(format!(
                "the scratch folder \"{}\" could not be removed: {error}; remove it by hand",
                self.0.display()
            ));
        }
    }
}
