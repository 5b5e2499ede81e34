//! Loading route files.

use std::path::PathBuf;
use std::sync::Arc;

use crate::load::assemble::whole::Whole;
use crate::load::read::{self, Document, Lookup, Node, ROUTE_FILE};
use crate::{ConfigError, RouteSet};

/// Reads, checks and compiles route files. All mistakes are told at once, each as one line.
///
/// `env` reads a variable of the environment for `${VAR}`. Tables at the top level (stores,
/// worker, policies, queues, clauses for all routes) may stand in one of the files only.
pub fn load(paths: &[PathBuf], env: Lookup<'_>) -> Result<RouteSet, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match one(path, env) {
            Ok(file) => files.push(file),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    build(&files)
}

fn one(path: &std::path::Path, env: Lookup<'_>) -> Result<(Arc<Document>, Node), Vec<ConfigError>> {
    let document = Document::open(path).map_err(|error| vec![error])?;
    let node = read::read(&document, &ROUTE_FILE, env)?;
    Ok((Arc::new(document), node))
}

fn build(files: &[(Arc<Document>, Node)]) -> Result<RouteSet, Vec<ConfigError>> {
    let mut whole = Whole::default();
    for (document, node) in files {
        whole.add_tables(document, node);
    }
    for (document, node) in files {
        whole.add_routes(document, node);
    }
    whole.finish()
}

/// Loads a file that is text in memory.
#[cfg(test)]
pub(crate) fn load_text(
    text: &str,
    folder: &std::path::Path,
) -> Result<RouteSet, Vec<ConfigError>> {
    let document = Document::of_text("r.toml", folder, text);
    let node = read::read(&document, &ROUTE_FILE, &|_| None)?;
    build(&[(Arc::new(document), node)])
}
