//! The graph of crates, as cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::root;

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// To use the crate.
    Always,
    /// Only to test it.
    ForTests,
}

/// The crates of this workspace with what their manifests name.
#[derive(Debug)]
pub struct Crates(Metadata);

impl Crates {
    /// Asks cargo.
    ///
    /// # Panics
    ///
    /// When cargo cannot read the workspace.
    pub fn read() -> Self {
        let mut command = MetadataCommand::new();
        command.current_dir(root()).no_deps();
        Self(command.exec().expect("cargo metadata reads the workspace"))
    }

    /// The names of the members.
    pub fn names(&self) -> BTreeSet<String> {
        let members = self.0.packages.iter();
        members.map(|package| package.name.to_string()).collect()
    }

    /// What the manifest of `name` names, members of the workspace and others alike. Build
    /// dependencies count as [`Needs::Always`].
    ///
    /// # Panics
    ///
    /// When there is no such member.
    pub fn dependencies(&self, name: &str, needs: Needs) -> BTreeSet<String> {
        let package = self.0.packages.iter().find(|found| *found.name == name);
        let package = package.unwrap_or_else(|| panic!("{name} is no member of the workspace"));
        let wanted = |kind| (kind == DependencyKind::Development) == (needs == Needs::ForTests);
        let named = package.dependencies.iter();
        named
            .filter(|dependency| wanted(dependency.kind))
            .map(|dependency| dependency.name.clone())
            .collect()
    }

    /// The folder of each member, from the root of the repository.
    pub fn folders(&self) -> BTreeMap<String, String> {
        let members = self.0.packages.iter();
        members
            .map(|package| {
                let folder = package.manifest_path.parent();
                let folder = folder.and_then(|folder| folder.strip_prefix(root()).ok());
                let folder = folder.map(ToString::to_string).unwrap_or_default();
                (package.name.to_string(), folder)
            })
            .collect()
    }
}

/// The names of all crates that a user of a package compiles, with exactly these features.
///
/// # Panics
///
/// When cargo cannot resolve that.
pub fn tree(package: &str, features: &[&str]) -> BTreeSet<String> {
    let features = features.join(",");
    let which = ["--package", package, "--no-default-features", "--features"];
    let mut arguments = which.to_vec();
    arguments.extend([features.as_str(), "--edges", "normal,build"]);
    names_of_tree(&arguments)
}

impl Crates {
    /// The names of all crates that any build of this workspace on this platform can compile.
    ///
    /// # Panics
    ///
    /// When cargo cannot resolve that.
    pub fn everything() -> BTreeSet<String> {
        names_of_tree(&["--workspace", "--all-features"])
    }
}

fn names_of_tree(arguments: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).arg("tree");
    command.args(["--prefix", "none", "--format", "{p}"]);
    let output = command.args(arguments).output().expect("cargo starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo tree {arguments:?}: {complaint}"
    );
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines = printed.lines().filter_map(|line| line.split(' ').next());
    lines
        .filter(|name| !name.is_empty())
        .map(Into::into)
        .collect()
}
