//! What steps do with a message, and what becomes of their failures.

use longshore_routes::Ended;

use crate::stage::{Stage, until};

/// A route on the queue `q` that gives up quickly.
pub(crate) fn route(rest: &str) -> String {
    format!(
        "[policy]\nredeliveries = 2\ndelay = '10ms'\n\
         [[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n{rest}"
    )
}

#[tokio::test]
async fn hostile_values_stay_values() {
    let stage = Stage::new().await;
    let file = route(
        "[[route.step]]\nexec = { command = ['printf', '[%s]', '{{ body }}'], values_in_arguments = true, stdout = 'body' }\n\
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
        "the template \"hello {{ headers.name }}\" cannot be rendered: this message has no headers.name; write {{ headers.name | default('…') }} where it may be missing"
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
    let runner = longshore_routes::Runner::new(set, stage.connection.clone());
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
