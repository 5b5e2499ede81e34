//! What steps do with a message, and what becomes of their failures.

use std::time::Duration;

use longshore::routes::Ended;

use crate::http_server::{Server, answer};
use crate::stage::{Stage, until};

/// A route on the queue `q` that gives up quickly.
fn route(rest: &str) -> String {
    format!(
        "[policy]\nredeliveries = 2\ndelay = '10ms'\n\
         [[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n{rest}"
    )
}

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
         exec = { command = ['sh', '-c', 'cat; echo \"$1|$WHO|$LONGSHORE_KIND|$LONGSHORE_QUEUE|$LONGSHORE_ATTEMPT|${{HOME:+home}}\"', 'sh', '{{ headers.who }}'], stdout = 'body', env = { WHO = '{{ headers.who }}!' } }\n\
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

#[tokio::test]
async fn hostile_values_stay_values() {
    let stage = Stage::new().await;
    let file = route(
        "[[route.step]]\nexec = { command = ['printf', '[%s]', '{{ body }}'], stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'out.txt' }\n",
    );
    let bodies = [
        "a b",
        "$(touch pwned)",
        "; rm -rf /",
        "`id`",
        "*",
        "'\"\\",
        "{{ id }}",
    ];
    stage.enqueue("q", &bodies).await;
    let summary = stage.run(&file).await;
    assert_eq!(summary.acked, bodies.len() as u64);
    let out = stage.read("out.txt");
    for body in bodies {
        assert!(out.contains(&format!("[{body}]\n")), "{body}: {out}");
    }
    assert!(!stage.path("pwned").exists());

    stage.enqueue("q", &["-v"]).await;
    let summary = stage.run(&file.replace("'[%s]', ", "")).await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    let (label, error) = stage.only_death("q").await;
    assert_eq!(label, "template");
    assert!(error.contains("would be read as an option"), "{error}");
}

#[tokio::test]
async fn an_undefined_value_is_a_permanent_failure_that_says_which_template() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["{}"]).await;
    let summary = stage
        .run(&route(
            "[[route.step]]\nlog = { message = 'hello {{ headers.name }}' }\n",
        ))
        .await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    let (label, error) = stage.only_death("q").await;
    assert_eq!(label, "template");
    assert_eq!(
        error,
        "the template \"hello {{ headers.name }}\" cannot be rendered: undefined value"
    );
}

#[tokio::test]
async fn a_retry_resumes_at_the_failing_step_with_its_body() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["one"]).await;
    stage.script("flaky", "[ \"$LONGSHORE_ATTEMPT\" = 3 ] || exit 75; cat");
    let file = route(
        "[[route.step]]\nfile = { path = 'first.txt' }\n\
         [[route.step]]\nexec = { command = ['sed', 's/one/two/'], stdout = 'body' }\n\
         [[route.step]]\nexec = { command = ['./flaky'], stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'last.txt' }\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.retried), (1, 2));
    assert_eq!(stage.read("first.txt"), "one\n", "the first step ran once");
    assert_eq!(stage.read("last.txt"), "two\n");

    stage.enqueue("q", &["one"]).await;
    let summary = stage
        .run(&file.replace("from =", "resume = 'start'\nfrom ="))
        .await;
    assert_eq!((summary.acked, summary.retried), (1, 2));
    assert_eq!(
        stage.read("first.txt"),
        "one\n".repeat(4),
        "three more times from the start"
    );
}

#[tokio::test]
async fn a_body_too_large_for_a_checkpoint_resumes_at_an_earlier_step() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["seed"]).await;
    stage.script("flaky", "[ \"$LONGSHORE_ATTEMPT\" = 2 ] || exit 75; wc -c");
    stage.script("grow", "echo ran >> grown.txt; head -c 100000 /dev/zero");
    let file = route(
        "[[route.step]]\nfile = { path = 'first.txt' }\n\
         [[route.step]]\nexec = { command = ['./grow'], stdout = 'body' }\n\
         [[route.step]]\nexec = { command = ['./flaky'], stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'last.txt' }\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.retried), (1, 1));
    assert_eq!(stage.read("first.txt"), "seed\n", "not run again");
    assert_eq!(
        stage.read("grown.txt"),
        "ran\nran\n",
        "run again: its output was too large to keep"
    );
    assert_eq!(stage.read("last.txt").trim(), "100000");
}

#[tokio::test]
async fn changed_steps_start_anew() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["one"]).await;
    let file = route(
        "[[route.step]]\nfile = { path = 'first.txt' }\n\
         [[route.step]]\nexec = { command = ['false'] }\n",
    )
    .replace("10ms", "1h")
    .replace("'r'", "'r'\npolicy = { delay_max = '1h' }");
    let running = stage.start(&file).await;
    until("it failed once", || async {
        stage.stats("q").await.delayed == 1
    })
    .await;
    running.stop().await;
    let queue = longshore::QueueName::new("q").unwrap();
    let id = *stage.waiting("q").await.keys().next().unwrap();
    let due = longshore::Due::NOW;
    stage
        .connection
        .backend()
        .admin
        .reschedule(&queue, &[id], due)
        .await
        .unwrap();
    let summary = stage.run(&file.replace("'false'", "'true'")).await;
    assert_eq!(summary.acked, 1);
    assert_eq!(stage.read("first.txt"), "one\none\n");
}

#[tokio::test]
async fn clauses_handle_continue_forward_and_dead_letter() {
    let stage = Stage::new().await;
    let file = route(
        "[[route.step]]\nexec = { command = ['sh', '-c', 'read n; exit $n'] }\n\
         [[route.step]]\nfile = { path = 'after.txt' }\n\
         [[route.on_error]]\nmatch = 'exec.exit.10'\nhandled = true\n\
         [[route.on_error]]\nmatch = 'exec.exit.11'\ncontinued = true\n\
         [[route.on_error]]\nmatch = 'exec.exit.12'\nforward = { queue = 'twelves' }\n\
         [[route.on_error]]\nmatch = 'exec.exit.13'\ndead_letter = 'now'\n",
    );
    stage.enqueue("q", &["10", "11", "12", "13", "0"]).await;
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead, summary.retried), (4, 1, 0));
    let mut after: Vec<_> = stage.read("after.txt").lines().map(str::to_owned).collect();
    after.sort();
    assert_eq!(after, ["0", "11"]);
    let forwarded = stage.waiting("twelves").await;
    assert_eq!(forwarded.values().collect::<Vec<_>>(), ["12"]);
    assert_eq!(stage.only_death("q").await.0, "exec.exit.13");
}

#[tokio::test]
async fn a_timeout_of_the_route_can_be_continued_behind_the_step_that_ran() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["one"]).await;
    let file = route(
        "timeout = '500ms'\n\
         [[route.step]]\nexec = { command = ['sed', 's/one/two/'], stdout = 'body' }\n\
         [[route.step]]\nexec = { command = ['sleep', '60'] }\n\
         [[route.step]]\nfile = { path = 'after.txt' }\n\
         [[route.on_error]]\nmatch = 'timeout'\ncontinued = true\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead), (1, 0));
    assert_eq!(stage.read("after.txt"), "two\n");
}

#[tokio::test]
async fn a_forward_that_is_repeated_names_the_same_child() {
    let stage = Stage::new().await;
    stage
        .enqueue_with("q", "body", &[("keep", "me")], "special")
        .await;
    stage.script("flaky", "[ \"$LONGSHORE_ATTEMPT\" = 3 ] || exit 75");
    let file = route(
        "resume = 'start'\n\
         [[route.step]]\nforward = { queue = 'next', headers = { from = '{{ queue }}' } }\n\
         [[route.step]]\nexec = { command = ['./flaky'] }\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.retried), (1, 2));
    let queue = longshore::QueueName::new("next").unwrap();
    let max = std::num::NonZeroU32::new(10).unwrap();
    let page = stage
        .connection
        .backend()
        .admin
        .peek(&queue, None, max)
        .await
        .unwrap();
    assert_eq!(page.items.len(), 1, "forwarded three times, stored once");
    let child = page.items[0].message().unwrap();
    assert_eq!(child.kind.as_str(), "special");
    assert_eq!(
        (child.headers.get("keep"), child.headers.get("from")),
        (Some("me"), Some("q"))
    );
}

#[tokio::test]
async fn a_forward_to_a_full_queue_waits_uncharged() {
    let stage = Stage::new().await;
    let file =
        route("[[route.step]]\nforward = { queue = 'next' }\n") + "[queue.next]\ndepth_max = 1\n";
    stage.enqueue("q", &["one", "two"]).await;
    let running = stage.start(&file).await;
    until("one is forwarded and one waits", || async {
        stage.stats("next").await.live() == 1 && running.handle.stats().released > 0
    })
    .await;
    assert_eq!(running.handle.stats().retried, 0);
    let next = longshore::QueueName::new("next").unwrap();
    let max = std::num::NonZeroU32::new(10).unwrap();
    stage
        .connection
        .backend()
        .admin
        .purge(&next, max)
        .await
        .unwrap();
    until("the other one follows", || async {
        stage.stats("q").await.live() == 0
    })
    .await;
    let summary = running.stop().await;
    assert_eq!((summary.acked, summary.dead), (2, 0));
}

#[tokio::test]
async fn a_forward_reaches_another_store() {
    let (stage, other) = (Stage::new().await, Stage::sqlite().await);
    stage.enqueue("q", &["over"]).await;
    let url = other.connection.url().to_string();
    let file = route("[[route.step]]\nforward = { queue = 'there', store = 'far' }\n")
        + &format!("[stores.far]\nurl = '{url}'\n");
    let set = stage.load(&file);
    assert_eq!(set.needed_stores(&[]).len(), 1);
    let stores = [("far".to_owned(), other.connection.clone())].into();
    let runner = longshore::routes::Runner::new(set, stage.connection.clone());
    let ready = runner
        .stores(stores)
        .until_idle(true)
        .prepare()
        .await
        .unwrap();
    assert_eq!(crate::stage::finish(ready).await.acked, 1);
    assert_eq!(
        other.waiting("there").await.values().collect::<Vec<_>>(),
        ["over"]
    );
}

#[tokio::test]
async fn conditions_choose_steps() {
    let stage = Stage::new().await;
    stage
        .enqueue_with("q", "a", &[("bill", "yes")], "message")
        .await;
    stage
        .enqueue_with("q", "b", &[("bill", "no")], "message")
        .await;
    let file = route(
        "[[route.step]]\nwhen = \"{{ headers.bill == 'yes' }}\"\nfile = { path = 'out.txt' }\n",
    );
    let summary = stage.run(&file).await;
    assert_eq!(summary.acked, 2);
    assert_eq!(stage.read("out.txt"), "a\n");
}

#[tokio::test]
async fn a_value_cannot_lead_out_of_the_folder_of_a_file_step() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["../../x", "a/b", "ok"]).await;
    let summary = stage
        .run(&route(
            "[[route.step]]\nfile = { path = 'out/{{ body }}.txt' }\n",
        ))
        .await;
    assert_eq!((summary.acked, summary.dead), (1, 2));
    assert_eq!(stage.read("out/ok.txt"), "ok\n");
    assert_eq!(std::fs::read_dir(stage.path("out")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_tried_again() {
    let stage = Stage::new().await;
    std::fs::create_dir(stage.path("taken")).unwrap();
    stage.enqueue("q", &["x"]).await;
    let summary = stage
        .run(&route("[[route.step]]\nfile = { path = 'taken' }\n"))
        .await;
    assert_eq!((summary.dead, summary.retried), (1, 2));
    assert_eq!(
        stage.only_death("q").await,
        (
            "file.io".to_owned(),
            "taken cannot be written: is a directory".to_owned()
        )
    );
}

#[tokio::test]
async fn http_carries_the_body_and_its_response_becomes_the_body() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", "answered")]).await;
    stage
        .enqueue_with("q", "payload", &[("name", "a b/c?ä")], "message")
        .await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ post = 'http://{}/in/{{{{ headers.name }}}}?k=v', headers = {{ X-Kind = '{{{{ kind }}}}' }}, response = 'body', timeout = '10s' }}\n\
         [[route.step]]\nfile = {{ path = 'out.txt' }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead), (1, 0));
    assert_eq!(stage.read("out.txt"), "answered\n");
    let request = &server.requests()[0];
    assert!(
        request.starts_with("POST /in/a%20b%2Fc%3F%C3%A4?k=v HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("x-kind: message\r\n") && request.ends_with("\r\n\r\npayload"),
        "{request}"
    );
}

#[tokio::test]
async fn http_refusals_are_labelled_and_retry_after_is_honoured() {
    let stage = Stage::new().await;
    let busy = answer("503 Service Unavailable", "retry-after: 1\r\n", "later");
    let server = Server::answering(&[&busy, &answer("204 No Content", "", "")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ put = 'http://{}/{{{{ id }}}}' }}\n",
        server.address
    ));
    let started = std::time::Instant::now();
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.retried), (1, 1));
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "it waited as it was told to"
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn other_refusals_of_the_client_are_permanent() {
    let stage = Stage::new().await;
    let server =
        Server::answering(&[&answer("422 Unprocessable Entity", "", "no such thing\n")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ delete = 'http://{}/x?token=secret' }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    let expected = format!(
        "DELETE http://{}/x was answered with 422 Unprocessable Entity: no such thing",
        server.address
    );
    assert_eq!(
        stage.only_death("q").await,
        ("http.422".to_owned(), expected)
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stage = Stage::new().await;
    let target = Server::answering(&[&answer("200 OK", "", "")]).await;
    let location = format!("location: http://{}/\r\n", target.address);
    let server = Server::answering(&[&answer("302 Found", &location, "")]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{}/' }}\n",
        server.address
    ));
    assert_eq!(stage.run(&file).await.dead, 1);
    assert_eq!(stage.only_death("q").await.0, "http.302");
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_host_that_a_message_names_must_be_public() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", "")]).await;
    let port = server.address.port();
    stage
        .enqueue(
            "q",
            &[
                "127.0.0.1",
                "localhost",
                "2130706433",
                "0x7f.1",
                "[::ffff:127.0.0.1]",
            ],
        )
        .await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{{{{ body }}}}:{port}/' }}\n"
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.dead, summary.retried), (0, 5, 0));
    let labels: std::collections::BTreeSet<_> = stage
        .dead("q")
        .await
        .iter()
        .map(|dead| dead.history.last().unwrap().record.label.to_string())
        .collect();
    // Brackets are encoded, which leaves no valid host.
    assert_eq!(
        labels.into_iter().collect::<Vec<_>>(),
        ["http.address", "http.url"]
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn silence_and_refused_connections_have_labels_of_their_own() {
    let stage = Stage::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    stage.enqueue("a", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{address}/', timeout = '200ms' }}\n"
    ))
    .replace("'q'", "'a'")
    .replace("redeliveries = 2", "redeliveries = 0");
    stage.run(&file).await;
    assert_eq!(
        stage.only_death("a").await,
        (
            "http.timeout".to_owned(),
            format!("GET http://{address}/ was not done after 200ms")
        )
    );
    drop(silent);
    stage.enqueue("b", &["x"]).await;
    stage.run(&file.replace("'a'", "'b'")).await;
    assert_eq!(stage.only_death("b").await.0, "http.connect");
}

#[tokio::test]
async fn a_response_over_its_limit_is_refused() {
    let stage = Stage::new().await;
    let server = Server::answering(&[&answer("200 OK", "", &"x".repeat(5000))]).await;
    stage.enqueue("q", &["x"]).await;
    let file = route(&format!(
        "[[route.step]]\nhttp = {{ get = 'http://{}/', response = 'body', response_max = 4096 }}\n",
        server.address
    ));
    let summary = stage.run(&file).await;
    assert_eq!((summary.dead, summary.retried), (1, 0));
    assert_eq!(stage.only_death("q").await.0, "http.response");
}

#[tokio::test]
async fn an_idle_run_with_nothing_to_do_ends_at_once() {
    let stage = Stage::new().await;
    let summary = stage
        .run(&route("[[route.step]]\nlog = { message = 'x' }\n"))
        .await;
    assert_eq!(summary.ended, Ended::Idle);
    assert!(summary.seconds < 5.0);
    let json = serde_json::to_value(&summary).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["acked", "dead", "retried", "seconds"]);
}
