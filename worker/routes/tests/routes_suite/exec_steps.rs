//! What exec steps do with a message, and what becomes of their programs.

use std::time::Duration;

use crate::stage::{Stage, until};
use crate::steps::route;

#[tokio::test]
async fn exec_hands_the_body_on_and_its_output_becomes_the_body() {
    let stage = Stage::new().await;
    stage
        .enqueue_with("q", "hello\n", &[("who", "a b;$(id)")], "greeting")
        .await;
    let file = route(
        "[[route.step]]\n\
         exec = { command = ['tr', 'a-z', 'A-Z'], stdout = 'body' }\n\
         [[route.step]]\n\
         exec = { command = ['sh', '-c', 'cat; echo \"$1|$WHO|$LONGSHORE_KIND|$LONGSHORE_QUEUE|$LONGSHORE_ATTEMPT|${{HOME:+home}}\"', 'sh', '{{ headers.who }}'], values_in_arguments = true, stdout = 'body', env = { WHO = '{{ headers.who }}!' } }\n\
         [[route.step]]\n\
         file = { path = 'out.txt' }\n",
    )
    .replace("${{HOME:+home}}", "end");
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead), (1, 0));
    assert_eq!(
        stage.read("out.txt"),
        "HELLO\na b;$(id)|a b;$(id)!|greeting|q|1|end\n"
    );
}

#[tokio::test]
async fn the_environment_of_this_process_does_not_reach_programs() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    // Cargo sets this for tests.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let file = route(
        "[[route.step]]\nexec = { command = ['env'], stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'env.txt' }\n",
    );
    stage.run(&file).await;
    let env = stage.read("env.txt");
    assert!(
        env.contains("LONGSHORE_ID=") && env.contains("PATH="),
        "{env}"
    );
    assert!(!env.contains("CARGO"), "{env}");
}

#[tokio::test]
async fn exit_codes_say_what_becomes_of_the_message() {
    let stage = Stage::new().await;
    for (queue, code, label, attempts) in [
        ("a", 65, "exec.exit.65", 1),
        ("b", 66, "exec.exit.66", 1),
        ("c", 7, "exec.exit.7", 3),
    ] {
        stage.enqueue(queue, &["x"]).await;
        let file = route(&format!(
            "[[route.step]]\nexec = {{ command = ['sh', '-c', 'echo \"why: $1\" >&2; exit {code}', 'sh', 'because'] }}\n"
        ))
        .replace("'q'", &format!("'{queue}'"));
        let summary = stage.run(&file).await;
        assert_eq!(
            (summary.acked, summary.dead, summary.retried),
            (0, 1, attempts - 1)
        );
        let death = stage.only_death(queue).await;
        assert_eq!(
            death,
            (
                label.to_owned(),
                format!("sh exited with {code}: why: because")
            )
        );
        assert_eq!(
            stage.dead(queue).await[0].history.records().len() as u64,
            attempts
        );
    }
}

#[tokio::test]
async fn the_end_of_options_of_one_program_is_not_that_of_the_next() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["-ew out"]).await;
    let file = route(
        "[[route.step]]\nexec = { command = ['env', '--', 'sed', 's/a/b/', '{{ body }}'], values_in_arguments = true }\n",
    );
    stage.run(&file).await;
    let (label, error) = stage.only_death("q").await;
    assert_eq!(label, "template");
    assert!(error.contains("would be read as an option"), "{error}");
    assert_eq!(stage.read("out"), "", "sed wrote nothing");
}

#[tokio::test]
async fn a_missing_interpreter_is_named_as_what_is_missing() {
    let stage = Stage::new().await;
    stage.script("odd", "");
    stage.write("odd", "#!/no/such/interpreter\n");
    stage.enqueue("q", &["x"]).await;
    let file = route("[[route.step]]\nexec = { command = ['./odd'] }\n");
    stage
        .run(&file.replace("redeliveries = 2", "redeliveries = 0"))
        .await;
    let (label, error) = stage.only_death("q").await;
    assert_eq!(label, "exec.start");
    assert!(
        error.contains("./odd cannot be started: it is there, but the interpreter"),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_is_killed_is_tried_again() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    let summary = stage
        .run(&route(
            "[[route.step]]\nexec = { command = ['sh', '-c', 'kill -9 $$'] }\n",
        ))
        .await;
    assert_eq!((summary.dead, summary.retried), (1, 2));
    assert_eq!(stage.only_death("q").await.0, "exec.signal.9");
}

#[tokio::test]
async fn a_timeout_kills_the_whole_process_group() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    stage.script("slow", "sleep 300 & echo $! > child.pid; sleep 300");
    let file = route("[[route.step]]\nexec = { command = ['./slow'], timeout = '300ms' }\n")
        .replace("redeliveries = 2", "redeliveries = 0");
    let summary = stage.run(&file).await;
    assert_eq!(summary.dead, 1);
    let (label, error) = stage.only_death("q").await;
    assert_eq!(
        (label.as_str(), error.as_str()),
        ("exec.timeout", "./slow was not done after 300ms")
    );
    let child = stage.read("child.pid");
    until("the grandchild is dead", || async {
        !is_alive(child.trim())
    })
    .await;
}

/// Whether a process runs: a zombie does not.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim();
    !state.is_empty() && !state.starts_with('Z')
}

#[tokio::test]
async fn the_timeout_of_the_route_ends_its_program() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    stage.script("slow", "echo $$ > own.pid; exec sleep 300");
    let file = route("timeout = '300ms'\n[[route.step]]\nexec = { command = ['./slow'] }\n")
        .replace("redeliveries = 2", "redeliveries = 0");
    let summary = stage.run(&file).await;
    assert_eq!(summary.dead, 1);
    assert_eq!(stage.only_death("q").await.0, "timeout");
    let own = stage.read("own.pid");
    until("the program is dead", || async { !is_alive(own.trim()) }).await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_does_not_hold_its_message() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    // The sleeper keeps stdout and stderr open.
    let file = route(
        "[[route.step]]\nexec = { command = ['sh', '-c', 'sleep 300 & echo done'], stdout = 'body', timeout = '1m' }\n\
         [[route.step]]\nfile = { path = 'out.txt' }\n",
    );
    let started = std::time::Instant::now();
    let summary = stage.run(&file).await;
    assert_eq!(summary.acked, 1);
    assert_eq!(stage.read("out.txt"), "done\n");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_program_that_prints_too_much_is_stopped() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    let file = route(
        "[[route.step]]\nexec = { command = ['yes'], stdout = 'body', output_max = '10KiB' }\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    assert_eq!(
        stage.only_death("q").await,
        (
            "exec.output".to_owned(),
            "yes printed more than 10240 bytes".to_owned()
        )
    );
}

#[tokio::test]
async fn a_program_need_not_read_a_large_body_and_bytes_are_kept_as_they_are() {
    let stage = Stage::new().await;
    let large = "x".repeat(900_000);
    stage.enqueue("q", &[&large, "a\0\u{1}b"]).await;
    let file = route(
        "[[route.step]]\nexec = { command = ['true'] }\n\
         [[route.step]]\nexec = { command = ['cat'], stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'out/{{ id }}', mode = 'replace' }\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead), (2, 0));
    let mut sizes: Vec<_> = std::fs::read_dir(stage.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [4, 900_000]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_gains_no_rights_by_what_it_executes() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    let file = route(
        "[[route.step]]\nexec = { command = ['grep', 'NoNewPrivs', '/proc/self/status'], stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'out.txt' }\n",
    );
    assert_eq!(stage.run(&file).await.acked, 1);
    assert_eq!(stage.read("out.txt").trim(), "NoNewPrivs:\t1");
    let here = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let before = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("NoNewPrivs"))
            .map(str::to_owned)
    };
    assert_eq!(line(&here), line(&before), "this process is as it was");
}

/// A value reaches a program under a name that nothing interprets.
#[tokio::test]
async fn values_are_variables_of_our_names() {
    let stage = Stage::new().await;
    stage
        .enqueue_with("q", "x", &[("width", "-rf $(id) 2")], "m")
        .await;
    let file = route(
        "[[route.step]]\nexec = { command = ['sh', '-c', 'printf %s \"$LONGSHORE_VAR_WIDTH|$LONGSHORE_VAR_BOTH\"'], \
         vars = { width = '{{ headers.width }}', Both = '{{ id | length }}' }, stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'out.txt' }\n",
    );
    assert_eq!(stage.run(&file).await.acked, 1);
    assert_eq!(stage.read("out.txt"), "-rf $(id) 2|36\n");
}

/// What stands before a value must be a text, not a mark of options or space that is trimmed away.
#[tokio::test]
async fn no_value_becomes_an_option_whatever_stands_before_it() {
    let refused = [
        "'--', '{{ body }}'",
        "' {{- body }}'",
        "'{# a #}{{ body }}'",
        "'-{{ body }}'",
    ];
    for arguments in refused {
        let stage = Stage::new().await;
        stage.enqueue("q", &["--version"]).await;
        let file = route(&format!(
            "[[route.step]]\nexec = {{ command = ['cat', {arguments}], values_in_arguments = true }}\n"
        ));
        stage.run(&file).await;
        assert_eq!(stage.only_death("q").await.0, "template", "{arguments}");
    }
    let stage = Stage::new().await;
    stage.enqueue("q", &["-5"]).await;
    let file = route(
        "[[route.step]]\nexec = { command = ['true', '--width={{ body }}'], values_in_arguments = true }\n",
    );
    assert_eq!(stage.run(&file).await.acked, 1);
}
