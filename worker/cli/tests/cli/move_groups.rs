//! Moving a queue keeps its groups together, and in order.

use serde_json::Value;

use super::stage::{Stage, finish, send, until};

fn member(stage: &Stage, body: &str) -> String {
    stage.enqueue(&["from", body, "--group", "g"])
}

/// Works off what the destination has, one message at a time.
fn work_off(stage: &Stage, queue: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let ended = stage.run(&["receive", queue, "--max", "9", "--json"]);
        if ended.code != Some(0) {
            return bodies;
        }
        let batch = ended.json();
        assert_eq!(
            batch.as_array().unwrap().len(),
            1,
            "one of a group: {batch}"
        );
        bodies.push(batch[0]["body"].as_str().unwrap().to_owned());
        let receipt = batch[0]["receipt"].as_str().unwrap();
        assert_eq!(stage.run(&["settle", "ack", receipt]).code, Some(0));
    }
}

/// Begins a move while a worker has the head, and waits until everything else has gone.
fn move_beside_a_leased_head(stage: &Stage) -> (std::process::Child, String) {
    for body in ["m1", "m2", "m3"] {
        member(stage, body);
    }
    let receipt = stage.receipt("from");
    stage.enqueue(&["from", "single"]);
    let moving = stage.start(&["move", "from", "to", "--yes"]);
    until("the single one went", || {
        let ended = stage.run(&["queues", "to", "--json"]);
        ended.code == Some(0) && ended.json()[0]["waiting"] == 1
    });
    (moving, receipt)
}

fn counts(stage: &Stage, queue: &str) -> [Value; 3] {
    let numbers = stage.queue(queue);
    ["waiting", "leased", "dead"].map(|state| numbers[state].clone())
}

#[test]
fn members_wait_behind_a_head_that_a_worker_has() {
    let stage = Stage::new();
    let (moving, receipt) = move_beside_a_leased_head(&stage);
    assert_eq!(counts(&stage, "from"), [2, 1, 0].map(Value::from));
    let settled = stage.run(&["settle", "retry", &receipt, "--delay", "0s"]);
    assert_eq!(settled.code, Some(0), "{}", settled.stderr);
    let moved = finish(moving, b"");
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    let mut worked = work_off_all(&stage);
    worked.retain(|body| body != "single");
    assert_eq!(worked, ["m1", "m2", "m3"]);
}

fn work_off_all(stage: &Stage) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let ended = stage.run(&["receive", "to", "--max", "1", "--json"]);
        if ended.code != Some(0) {
            return bodies;
        }
        let batch = ended.json();
        bodies.push(batch[0]["body"].as_str().unwrap().to_owned());
        let receipt = batch[0]["receipt"].as_str().unwrap();
        assert_eq!(stage.run(&["settle", "ack", receipt]).code, Some(0));
    }
}

#[test]
fn a_head_that_dies_meanwhile_holds_its_group_in_the_new_place() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "version = 1\n[queue.from]\non_group_dead = 'park'\n[queue.to]\non_group_dead = 'park'\n\
         [[route]]\nname = 'r'\nfrom = { queue = 'from' }\n[[route.step]]\n\
         exec = { command = ['sh', '-c', 'exit 65'] }\n[[route]]\nname = 's'\n\
         from = { queue = 'to' }\n[[route.step]]\nlog = { message = 'x' }\n",
    );
    for body in ["m1", "m2", "m3"] {
        member(&stage, body);
    }
    let run = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(run.code, Some(4), "the group is parked: {}", run.stderr);
    assert_eq!(counts(&stage, "from"), [2, 0, 1].map(Value::from));
    let moved = stage.run(&["move", "from", "to", "--yes"]);
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    assert_eq!(counts(&stage, "to"), [2, 0, 1].map(Value::from));
    assert!(work_off(&stage, "to").is_empty(), "the group is held");
    let redriven = stage.run(&["dead", "redrive", "to", "--yes"]);
    assert_eq!(redriven.code, Some(0), "{}", redriven.stderr);
    assert_eq!(work_off(&stage, "to"), ["m1", "m2", "m3"]);
}

#[test]
fn a_second_signal_ends_a_move_that_waits_and_says_what_stays() {
    let stage = Stage::new();
    let (moving, receipt) = move_beside_a_leased_head(&stage);
    send(&moving, rustix::process::Signal::TERM);
    let ended = finish(moving, b"");
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("the same command goes on"),
        "{}",
        ended.stderr
    );
    stage.run(&["settle", "ack", &receipt]);
    assert_eq!(work_off(&stage, "from"), ["m2", "m3"], "the mark is lifted");
}
