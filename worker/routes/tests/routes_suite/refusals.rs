//! What the reader of route files refuses, in its words.

use longshore_routes::load;

pub(crate) const ROUTE: &str = "[[route]]\nname = 'a'\nfrom = { queue = 'q' }\n";
pub(crate) const STEP: &str = "[[route.step]]\nlog = { message = 'x' }\n";

pub(crate) fn env(name: &str) -> Option<String> {
    (name == "SET").then(|| "value".to_owned())
}

/// The errors of files, each without the folder.
pub(crate) fn errors_of(files: &[(&str, &[u8])]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        paths.push(path);
    }
    let prefix = format!("{}/", folder.path().display());
    let errors = load(&paths, &env).err().unwrap_or_default();
    errors
        .iter()
        .map(|error| error.to_string().replace(&prefix, ""))
        .collect()
}

pub(crate) fn errors(text: &str) -> Vec<String> {
    errors_of(&[("r.toml", text.as_bytes())])
}

/// Asserts that each text has exactly one error, this one.
pub(crate) fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(errors(text), [*expected], "of the file:\n{text}");
    }
}

/// The same, each text behind a sound route without steps.
pub(crate) fn check_steps(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(
            errors(&format!("{ROUTE}{text}")),
            [*expected],
            "of the steps:\n{text}"
        );
    }
}
