//! Links between the documents.

/// A link to a file of this repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The line it is on, from 1.
    pub line: usize,
    /// The file it names, from the folder of the document.
    pub file: String,
    /// The heading it names, if any.
    pub heading: Option<String>,
}

/// The links of a Markdown text that stay in the repository, code blocks aside.
pub fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = match target.split_once('#') {
                Some((file, heading)) => (file, Some(heading.to_owned())),
                None => (target, None),
            };
            found.push(Link {
                line: index + 1,
                file: file.to_owned(),
                heading,
            });
        }
    }
    found
}

/// The code spans of a Markdown text that look like paths of this repository, with their lines;
/// code blocks aside.
pub fn paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for span in line.split('`').skip(1).step_by(2) {
            let folders = [
                "core/",
                "backends/",
                "worker/",
                "tests/",
                "benches/",
                "docs/",
                "examples/",
            ];
            let is_path = folders.iter().any(|folder| span.starts_with(folder));
            if is_path && !span.contains([' ', '*', '<', '…']) && !span.contains("NAME") {
                found.push((index + 1, span.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_with_slashes_are_paths() {
        let text = "see `core/src` and `a/b`, `docs/x y`\n```\n`core/y`\n```\n";
        assert_eq!(paths(text), [(1, "core/src".to_owned())]);
    }

    #[test]
    fn links_out_of_the_repository_and_code_are_left_alone() {
        let text = "[a](b.md#c) and [d](https://e.invalid)\n```\n[f](g)\n```\n[h](i/)\n";
        let found = links(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[0].file.as_str()), (1, "b.md"));
        assert_eq!(found[0].heading.as_deref(), Some("c"));
        assert_eq!((found[1].line, found[1].file.as_str()), (5, "i/"));
    }
}
