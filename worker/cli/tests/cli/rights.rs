//! Stores that this user may not use: whose they are, and what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use super::stage::{Ended, Stage, command_in};

/// A user without any rights, where the tests run as root, who may do everything.
const NOBODY: u32 = 65534;

fn mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A stage with a store in `folder`, which every user can see from outside.
fn stage() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("folder")).unwrap();
    stage.enqueue(&["q", "x", "--store", "sqlite://./folder/q.db"]);
    mode(stage.path("."), 0o755);
    stage
}

/// Runs the binary as a user who is bound by modes, on `folder/FILE`.
fn run(stage: &Stage, file: &str, args: &[&str]) -> Ended {
    let store = format!("sqlite://./folder/{file}");
    let mut command = if rustix::process::geteuid().is_root() {
        // That user may not enter the folder of the build.
        let binary = stage.path("longshore");
        if !binary.exists() {
            fs::copy(env!("CARGO_BIN_EXE_longshore"), &binary).unwrap();
            mode(&binary, 0o755);
        }
        let mut command = std::process::Command::new(binary);
        command.current_dir(stage.path(".")).uid(NOBODY).gid(NOBODY);
        command.env_clear();
        command
    } else {
        command_in(&stage.path("."))
    };
    command.args(args).args(["--store", &store]);
    Ended::of(command.output().unwrap())
}

#[test]
fn a_folder_that_cannot_be_entered_is_no_missing_store() {
    let stage = stage();
    mode(stage.path("folder"), 0);
    for args in [["queues", "q"], ["peek", "q"]] {
        let ended = run(&stage, "q.db", &args);
        ended.refused(
            77,
            "the directory cannot be entered by this user (owner uid ",
        );
        assert!(ended.stderr.contains("mode 000"), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("run as its owner"),
            "{}",
            ended.stderr
        );
    }
    mode(stage.path("folder"), 0o755);
    run(&stage, "none.db", &["queues"]).refused(3, "does not exist");
}

#[test]
fn each_file_that_cannot_be_used_is_named_with_its_owner() {
    let stage = stage();
    mode(stage.path("folder"), 0o777);
    for (suffix, words) in [
        ("", "the file cannot be read by this user (owner uid "),
        ("-lock", "the lock file of the database cannot be written"),
        (
            "-bell",
            "the file that wakes waiting receivers cannot be written",
        ),
    ] {
        let path = stage.path(&format!("folder/q.db{suffix}"));
        for companion in ["", "-lock", "-bell"] {
            mode(stage.path(&format!("folder/q.db{companion}")), 0o666);
        }
        mode(&path, 0);
        let ended = run(&stage, "q.db", &["queues"]);
        ended.refused(77, words);
        assert!(ended.stderr.contains("mode 000"), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(&format!("folder/q.db{suffix}\n")),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_not_the_file_that_is_missing() {
    let stage = stage();
    mode(stage.path("folder"), 0o555);
    let ended = run(&stage, "new.db", &["enqueue", "q", "x"]);
    ended.refused(77, "cannot be created in the directory by this user");
    assert!(ended.stderr.ends_with("/folder\n"), "{}", ended.stderr);
    mode(stage.path("folder"), 0o755);
}

#[test]
fn a_file_that_is_marked_read_only_is_said_to_be_so_to_root_too() {
    let stage = stage();
    mode(stage.path("folder/q.db"), 0o444);
    stage
        .run(&["queues", "--store", "sqlite://./folder/q.db"])
        .refused(77, "marked read-only");
}

#[test]
fn an_empty_file_is_no_store_until_something_is_enqueued() {
    let stage = Stage::new();
    for lock in [false, true] {
        stage.write("empty.db", "");
        if lock {
            stage.write("empty.db-lock", "");
        }
        let store = ["--store", "sqlite://./empty.db"];
        stage
            .run(&["queues", store[0], store[1]])
            .refused(3, "does not exist");
        assert_eq!(fs::read(stage.path("empty.db")).unwrap(), b"");
    }
    stage.enqueue(&["q", "x", "--store", "sqlite://./empty.db"]);
}
