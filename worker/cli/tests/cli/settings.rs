//! Option > environment > file > default.

use super::stage::{Ended, Stage};

fn run(stage: &Stage, args: &[&str], vars: &[(&str, &str)]) -> Ended {
    let mut command = stage.command();
    command.args(args).stdin(std::process::Stdio::null());
    command.envs(vars.iter().copied());
    Ended::of(command.output().unwrap())
}

#[test]
fn option_wins_over_environment_over_file_over_default() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "version = 1\n[store]\nurl = \"sqlite://./file.db\"\n",
    );
    let store = ("LONGSHORE_STORE", "sqlite://./env.db");
    let config = ("LONGSHORE_CONFIG", "routes.toml");
    let args = ["enqueue", "q", "x"];
    run(&stage, &args, &[]);
    assert!(stage.path("longshore.db").exists());
    run(&stage, &args, &[config]);
    assert!(stage.path("file.db").exists());
    run(&stage, &args, &[config, store]);
    assert!(stage.path("env.db").exists());
    run(
        &stage,
        &["enqueue", "q", "x", "--store", "sqlite://./option.db"],
        &[config, store],
    );
    assert!(stage.path("option.db").exists());
    let by_option = run(
        &stage,
        &["queues", "--json", "--config", "routes.toml"],
        &[],
    );
    assert_eq!(by_option.json()[0]["waiting"], 1);
    let empty = run(&stage, &["queues", "--json"], &[("LONGSHORE_STORE", "")]);
    assert_eq!(
        empty.code,
        Some(0),
        "an empty variable is none: {}",
        empty.stderr
    );
}

#[test]
fn wrong_settings_end_with_78() {
    let stage = Stage::new();
    stage.write("broken.toml", "version = 1\n[stroe]\nurl = \"x\"\n");
    run(&stage, &["queues", "--config", "broken.toml"], &[]).refused(78, "broken.toml:2");
    run(&stage, &["queues"], &[("LONGSHORE_CONFIG", "missing.toml")]).refused(78, "missing.toml");
    run(&stage, &["queues"], &[("LONGSHORE_LOG", "=,=")]).refused(78, "LONGSHORE_LOG");
    run(&stage, &["queues"], &[("LONGSHORE_LOG_FORMAT", "xml")]).refused(78, "xml");
}

#[test]
fn quiet_and_verbose_exclude_each_other() {
    let stage = Stage::new();
    run(&stage, &["queues", "-q", "-v"], &[]).refused(2, "cannot be used with");
    stage.enqueue(&["q", "x"]);
    let empty = run(&stage, &["dead", "list", "q", "-q"], &[]);
    assert_eq!((empty.code, empty.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_memory_store_says_that_it_ends() {
    let stage = Stage::new();
    let ended = run(&stage, &["enqueue", "q", "x", "--store", "memory://m"], &[]);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("ends with this command"),
        "{}",
        ended.stderr
    );
    assert!(
        run(
            &stage,
            &["enqueue", "q", "x", "--store", "memory://m", "-q"],
            &[]
        )
        .stderr
        .is_empty()
    );
}

#[test]
fn schemas_are_printed_and_applied() {
    let stage = Stage::new();
    let ddl = run(&stage, &["schema", "ddl"], &[]);
    assert!(
        ddl.text().to_uppercase().contains("CREATE TABLE"),
        "{}",
        ddl.text()
    );
    assert!(
        !stage.path("longshore.db").exists(),
        "printing creates nothing"
    );
    for outcome in ["created", "current"] {
        let applied = run(&stage, &["schema", "apply", "--json"], &[]);
        assert_eq!(applied.json()["outcome"], outcome);
    }
    assert_eq!(run(&stage, &["queues", "--json"], &[]).text(), "[]\n");
}

#[test]
fn a_log_level_that_does_not_exist_is_refused_with_the_nearest() {
    let stage = Stage::new();
    for (wanted, nearest) in [
        ("warning", "warn"),
        ("inof", "info"),
        ("longshore=debug,eror", "error"),
    ] {
        let output = stage
            .command()
            .env("LONGSHORE_LOG", wanted)
            .arg("queues")
            .output();
        let ended = super::stage::Ended::of(output.unwrap());
        ended.refused(78, &format!("did you mean {nearest:?}?"));
    }
    for right in ["info", "WARN", "longshore=debug,warn", "off", ""] {
        let output = stage
            .command()
            .env("LONGSHORE_LOG", right)
            .args(["pause", "--create", "q"])
            .output();
        assert_eq!(output.unwrap().status.code(), Some(0), "{right:?}");
    }
}
