//! The exit codes of the contract, each reached for real.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::json;

use super::stage::Stage;

#[test]
fn each_code_is_reached() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let receipt = stage.receipt("q");
    stage.run(&["settle", "ack", &receipt]);
    stage.write("broken.toml", "version = ");
    stage.write("garbage.db", vec![b'x'; 8192]);
    let table: [(&[&str], i32); 9] = [
        (&["queues"], 0),
        (&["dead", "list", "q"], 0),
        (&["queues", "--limit"], 2),
        (&["queues", "none"], 3),
        (&["receive", "q"], 3),
        (&["settle", "ack", &receipt, "--json"], 4),
        (&["queues", "--store", "sqlite://./garbage.db"], 70),
        (&["enqueue", "q", "x", "--store", "sqlite:///proc/q.db"], 77),
        (&["run", "broken.toml"], 78),
    ];
    for (args, code) in table {
        let ended = stage.run(args);
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
        let sentences = ended.stderr.lines().count();
        assert!(code == 0 || sentences == 1, "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn a_store_that_does_not_answer_is_69() {
    let stage = Stage::new();
    stage.enqueue(&["q", "x"]);
    let lock = std::fs::File::open(stage.path("longshore.db-lock")).unwrap();
    lock.lock().unwrap();
    let began = std::time::Instant::now();
    let store = "sqlite://./longshore.db?timeout=300ms";
    stage
        .run(&["enqueue", "q", "y", "--store", store])
        .refused(69, "longshore: ");
    assert!(began.elapsed().as_secs() < 10, "it ends by its deadline");
    lock.unlock().unwrap();
    assert_eq!(
        stage.run(&["enqueue", "q", "y", "--store", store]).code,
        Some(0)
    );
}

/// A stage whose queue takes so many messages.
fn bounded(depth: u32) -> Stage {
    let stage = Stage::new();
    let file = format!(
        "version = 1\n[queue.q]\ndepth_max = {depth}\n\
         [[route]]\nname = \"r\"\nfrom = {{ queue = \"q\" }}\n[[route.step]]\nlog = {{ message = \"x\" }}\n"
    );
    stage.write("routes.toml", file);
    let ended = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    stage
}

#[test]
fn a_full_queue_is_75_and_says_how_many_are_stored() {
    let stage = bounded(7);
    let lines: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let ended = stage.feed(
        &["enqueue", "q", "--lines", "--json"],
        lines.join("\n").as_bytes(),
    );
    ended.refused(75, "line 8: ");
    assert!(ended.stderr.contains("7 stored"), "{}", ended.stderr);
    assert_eq!(
        ended.json(),
        json!({ "stored": 7, "duplicate": 0, "failed": 13 })
    );
    assert_eq!(
        stage.queue("q")["waiting"],
        7,
        "the halves that fit are stored"
    );
    stage
        .run(&["enqueue", "q", "x"])
        .refused(75, "raise depth_max");
    let bodies = stage.json(&["receive", "q", "--json"]);
    let bodies: Vec<&str> = bodies
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["body"].as_str().unwrap())
        .collect();
    assert_eq!(
        bodies,
        ["0", "1", "2", "3", "4", "5", "6"],
        "in the order of the input"
    );
}

#[test]
fn a_signal_ends_a_wait_as_signals_do() {
    for program in [vec![], vec!["--", "true"]] {
        let stage = Stage::new();
        stage.run(&["pause", "--create", "q"]);
        stage.run(&["resume", "q"]);
        let mut args = vec!["receive", "q", "--wait", "60s", "-vv"];
        args.extend(program);
        let mut child = stage.start(&args);
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        // Whenever it comes, before the wait or in it, the signal must end the process.
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        assert_eq!(code, Some(143));
    }
}

#[test]
fn a_limit_of_files_under_which_nothing_runs_is_78() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "version = 1\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n\
         [[route.step]]\nexec = { command = ['true'] }\n",
    );
    stage.enqueue(&["q", "x"]);
    let program = env!("CARGO_BIN_EXE_longshore");
    let ended = stage.shell(&format!(
        "ulimit -n 30; exec {program} run routes.toml --until-idle"
    ));
    ended.refused(78, "may open 30 files, and a worker needs 64");
    assert_eq!(stage.queue("q")["waiting"], 1);
}
