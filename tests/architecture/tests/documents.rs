//! Links between the documents lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longshore_architecture_tests::{links, paths, root, text_files};

/// The anchors that a Markdown page offers, as the usual viewers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code || !line.starts_with('#') {
            continue;
        }
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        found.insert(kept.collect::<String>().replace(' ', "-"));
    }
    found
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    for page in text_files(&["md"]) {
        let folder = root()
            .join(&page.path)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        for link in links(&page.text) {
            let place = format!("{}:{}", page.path, link.line);
            let file = if link.file.is_empty() {
                root().join(&page.path)
            } else {
                folder.join(&link.file)
            };
            if !file.exists() {
                broken.push(format!("{place}: there is no {}", link.file));
            } else if let Some(heading) = link.heading {
                let text = fs::read_to_string(&file).unwrap_or_default();
                if !anchors(&text).contains(&heading) {
                    broken.push(format!("{place}: {} has no heading {heading}", link.file));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn paths_in_the_text_are_there() {
    let mut broken = Vec::new();
    for page in text_files(&["md"]) {
        let folder = root()
            .join(&page.path)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        for (line, path) in paths(&page.text) {
            if !root().join(&path).exists() && !folder.join(&path).exists() {
                broken.push(format!("{}:{line}: there is no {path}", page.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_pages_everyone_looks_for_are_there() {
    let pages = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "docs/glossary.md",
        "docs/states.md",
        "docs/decisions/README.md",
    ];
    for page in pages {
        assert!(root().join(page).is_file(), "{page} is missing");
    }
}

#[test]
fn decisions_have_numbers_of_their_own() {
    let folder = root().join("docs/decisions");
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder of decisions is there") {
        let name = entry.expect("an entry is readable").file_name();
        let name = name.to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        let number: String = name.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(number.len(), 4, "{name} does not begin with four digits");
        assert!(seen.insert(number), "{name} takes a number that is taken");
    }
}
