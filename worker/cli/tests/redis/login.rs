//! A store whose password is in a file.

use std::path::Path;
use std::process::{Command, Output};

use longshore_redis_server::Server;

/// Stores a message in the store that these variables name.
fn enqueue(folder: &Path, variables: &[(&str, &str)], more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_longshore"))
        .current_dir(folder)
        .env_remove("LONGSHORE_CONFIG")
        .env_remove("LONGSHORE_STORE")
        .env_remove("LONGSHORE_STORE_FILE")
        .envs(variables.iter().copied())
        .args(["enqueue", "q", "x"])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn the_password_is_read_from_its_file_and_never_shown() {
    let server = Server::start(&[]).unwrap();
    let set = server.says("CONFIG SET requirepass hunter2");
    assert_eq!(set.as_deref(), Some("+OK"));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let right = path("right", "hunter2\n");
    let url = |file: &str| format!("redis://127.0.0.1:{}/0?password-file={file}", server.port());
    let stored = enqueue(folder.path(), &[], &["--store", &url(&right)]);
    assert!(stored.status.success(), "{stored:?}");
    let whole = path("whole", &format!("{}\n", url(&right)));
    let stored = enqueue(folder.path(), &[("LONGSHORE_STORE_FILE", &whole)], &[]);
    assert!(stored.status.success(), "{stored:?}");

    let wrong = path("wrong", "hunter3\n");
    let both = [
        ("LONGSHORE_STORE_FILE", &*whole),
        ("LONGSHORE_STORE", "memory://x"),
    ];
    let missing = [("LONGSHORE_STORE_FILE", "no-such-file")];
    for (refused, code, part) in [
        (
            enqueue(folder.path(), &[], &["--store", &url(&wrong)]),
            77,
            "refused user or password",
        ),
        (
            enqueue(folder.path(), &[], &["--store", &url("no-such-file")]),
            78,
            "no-such-file cannot be read",
        ),
        (enqueue(folder.path(), &both, &[]), 78, "both set"),
        (enqueue(folder.path(), &missing, &[]), 78, "no-such-file"),
    ] {
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{said}");
        assert!(said.contains(part), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}
