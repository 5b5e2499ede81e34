//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// A file and what is in it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path from the root of the repository, with `/` between the parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether it is only compiled for tests, benchmarks or examples.
    pub fn is_for_tests(&self) -> bool {
        let folders = ["tests/", "benches/", "examples/"];
        let name = self.name();
        folders.iter().any(|folder| {
            self.path.starts_with(folder) || self.path.contains(&format!("/{folder}"))
        }) || name == "tests.rs"
            || name.ends_with("_tests.rs")
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Every Rust file, in the order of their paths.
///
/// # Panics
///
/// When a file cannot be read.
pub fn rust_sources() -> Vec<Source> {
    text_files(&["rs"])
}

/// Every file with one of these endings, in the order of their paths. What a build or a run
/// leaves behind is not looked at.
///
/// # Panics
///
/// When a file cannot be read.
pub fn text_files(endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("a folder of the repository can be read");
        for entry in entries {
            let path = entry.expect("an entry of a folder can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| {
                path.extension()
                    .is_some_and(|found| found.eq_ignore_ascii_case(ending))
            }) {
                let shown = path.strip_prefix(&root).unwrap_or(&path);
                found.push(Source {
                    path: shown.to_string_lossy().replace('\\', "/"),
                    text: fs::read_to_string(&path).expect("a text file is UTF-8"),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
