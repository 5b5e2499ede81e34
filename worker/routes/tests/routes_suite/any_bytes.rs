//! Files that nobody would write.

use longshore_routes::load;

use crate::refusals::env;

/// The route files that users see first.
fn examples() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let folders = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = folders
        .filter_map(|folder| std::fs::read_dir(folder.path()).ok())
        .flat_map(|files| files.map(|file| file.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    let read = files.iter().map(|path| std::fs::read(path).unwrap());
    read.collect()
}

/// A file is routes, or it is refused in lines that each name the file.
#[test]
fn any_bytes_are_routes_or_refused_fuzzed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    let name = file.display().to_string();
    let samples = examples();
    assert!(samples.len() >= 5, "{}", samples.len());
    longshore_fuzz::fuzz("route-file", &samples, |input| {
        std::fs::write(&file, input).unwrap();
        match load(std::slice::from_ref(&file), &env) {
            Ok(set) => format!("{} routes", "x".repeat(set.names().len())),
            Err(mistakes) => {
                let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
                for line in &told {
                    assert!(line.contains(&name), "it names no file: {line}");
                    assert!(!line.contains(['\n', '\u{1b}', '\0']), "{line:?}");
                    assert!(line.len() < 2_000, "{} bytes: {line}", line.len());
                }
                told.first()
                    .map_or_else(String::new, |line| line.replace(&name, ""))
            }
        }
    });
}
