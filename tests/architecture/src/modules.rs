//! A crate as a graph: which of its files names what stands in which other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Named, Source, logic_lines, paths_named, without_comments};

type Path = Vec<String>;

/// The modules of one crate.
///
/// A file that only declares and re-exports is a table of contents: who names something through
/// it names the file where that thing stands, and what it lists itself is no dependency. A file
/// and the folder of its name are one module to the others, so a file below may name the one that
/// it is a part of.
#[derive(Debug)]
pub struct Modules {
    files: BTreeMap<Path, Module>,
}

#[derive(Debug)]
struct Module {
    file: String,
    has_logic: bool,
    named: Vec<Named>,
}

impl Modules {
    /// Reads the files below `src/` of the crate in `folder`. The sources are without tests.
    pub fn of(folder: &str, sources: &[Source]) -> Self {
        let mut files = BTreeMap::new();
        for source in sources {
            let Some(rest) = source.path.strip_prefix(&format!("{folder}/src/")) else {
                continue;
            };
            let Some(rest) = rest
                .strip_suffix(".rs")
                .filter(|rest| !rest.starts_with("bin/"))
            else {
                continue;
            };
            let mut path: Path = rest.split('/').map(str::to_owned).collect();
            if ["mod", "lib", "main"].contains(&path.last().map_or("", String::as_str)) {
                path.pop();
            }
            let module = Module {
                file: rest.to_owned(),
                has_logic: !logic_lines(&source.text).is_empty(),
                named: paths_named(&without_comments(&source.text)),
            };
            files.insert(path, module);
        }
        Self { files }
    }

    /// The groups of files that each name the others, directly or round about; in each the
    /// arrows among them.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let arrows = self.arrows();
        let reach: BTreeMap<_, _> = arrows
            .keys()
            .map(|&from| (from, reached(&arrows, from)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for (from, there) in &reach {
            if !there.contains(from) || seen.contains(from) {
                continue;
            }
            let together: BTreeSet<_> = there
                .iter()
                .filter(|to| reach.get(*to).is_some_and(|back| back.contains(from)))
                .copied()
                .collect();
            let shown = arrows.iter().filter(|(from, _)| together.contains(*from));
            circles.push(
                shown
                    .flat_map(|(from, to)| {
                        to.iter()
                            .filter(|to| together.contains(*to))
                            .map(move |to| format!("{from} -> {to}"))
                    })
                    .collect(),
            );
            seen.extend(together);
        }
        circles
    }

    fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows = BTreeMap::new();
        for (here, module) in self.files.iter().filter(|(_, module)| module.has_logic) {
            let to: BTreeSet<_> = module
                .named
                .iter()
                .filter_map(|named| self.home(here, &named.path, &mut BTreeSet::new()))
                .filter(|home| home.has_logic && home.file != module.file)
                .filter(|home| !is_part(&module.file, &home.file))
                .map(|home| home.file.as_str())
                .collect();
            arrows.insert(module.file.as_str(), to);
        }
        arrows
    }

    /// The file where that stands which is called `path` in the module `here`; nothing for what
    /// another crate has.
    ///
    /// `seen` are the names that are being followed, each with the module it was met in.
    fn home(
        &self,
        here: &[String],
        path: &[String],
        seen: &mut BTreeSet<(Path, String)>,
    ) -> Option<&Module> {
        let (first, mut rest) = path.split_first()?;
        let mut at = here.to_vec();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
                while let Some((_, further)) =
                    rest.split_first().filter(|(word, _)| *word == "super")
                {
                    at.pop();
                    rest = further;
                }
            }
            _ => rest = path,
        }
        let is_relative = std::ptr::eq(rest, path);
        while let Some((next, further)) = rest.split_first() {
            at.push(next.clone());
            if self.files.contains_key(&at) {
                rest = further;
                continue;
            }
            at.pop();
            if let Some(home) = self.through_imports(&at, rest, seen) {
                return Some(home);
            }
            // A first name that is neither a module here nor imported is another crate's.
            if is_relative && at == here {
                return None;
            }
            break;
        }
        self.files.get(&at)
    }

    /// Follows what the module `at` imports or re-exports under the first name of `rest`.
    fn through_imports(
        &self,
        at: &[String],
        rest: &[String],
        seen: &mut BTreeSet<(Path, String)>,
    ) -> Option<&Module> {
        let (name, further) = rest.split_first()?;
        let module = self.files.get(at)?;
        if !seen.insert((at.to_vec(), name.clone())) {
            return None;
        }
        module.named.iter().find_map(|named| {
            if named.called.as_ref() != Some(name) || named.path == [name.clone()] {
                return None;
            }
            let path: Path = named.path.iter().chain(further).cloned().collect();
            self.home(at, &path, seen)
        })
    }
}

/// Whether a file lies in the folder of another one's name.
fn is_part(file: &str, of: &str) -> bool {
    file.strip_prefix(of)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn reached<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for &to in arrows.get(next).into_iter().flatten() {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources: Vec<_> = files
            .iter()
            .map(|(path, text)| Source {
                path: format!("x/src/{path}"),
                text: (*text).to_owned(),
            })
            .collect();
        Modules::of("x", &sources).circles()
    }

    #[test]
    fn layers_have_no_circle() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\npub use a::A;\n"),
            ("a.rs", "use crate::b::B;\nuse other::C;\nstruct A(B);\n"),
            ("b.rs", "use other::a::A;\nstruct B;\n"),
        ];
        assert!(circles(&files).is_empty());
    }

    #[test]
    fn a_circle_through_a_table_of_contents_is_found() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\npub use a::A;\n"),
            ("a.rs", "use crate::b;\nstruct A(b::B);\n"),
            ("b.rs", "fn f(a: crate::A) {}\n"),
        ];
        assert_eq!(circles(&files), [["a -> b", "b -> a"]]);
    }

    #[test]
    fn a_circle_of_three_is_found_below_folders() {
        let files = [
            ("lib.rs", "mod a;\n"),
            ("a/mod.rs", "mod b;\nmod c;\nmod d;\npub(crate) use b::B;\n"),
            ("a/b.rs", "use super::c::C;\nstruct B(C);\n"),
            ("a/c.rs", "struct C(super::d::D);\n"),
            ("a/d.rs", "use super::B;\nstruct D(B);\n"),
        ];
        let found = circles(&files);
        assert_eq!(found, [["a/b -> a/c", "a/c -> a/d", "a/d -> a/b"]]);
    }

    #[test]
    fn a_part_may_name_its_whole_and_others_may_not_close_the_circle() {
        let inside = [
            ("lib.rs", "mod a;\nmod c;\n"),
            ("a.rs", "mod b;\nuse b::B;\nstruct A(B);\n"),
            ("a/b.rs", "struct B(Box<super::A>);\n"),
        ];
        assert!(circles(&inside).is_empty());
        let outside = [
            ("lib.rs", "mod a;\nmod c;\n"),
            ("a.rs", "mod b;\nuse b::B;\nstruct A(B);\n"),
            ("a/b.rs", "struct B(crate::c::C);\n"),
            ("c.rs", "struct C(crate::a::A);\n"),
        ];
        assert_eq!(circles(&outside), [["a -> a/b", "a/b -> c", "c -> a"]]);
    }
}
