//! Runs: how they begin, how they end, and what a shutdown finishes.

use std::time::Duration;

use longshore::core::{GroupName, Pause, Timestamp};
use longshore::{JobKind, QueueName};
use longshore_routes::{Ended, RunFailure};

use crate::stage::{Stage, numbered, until};

const LOG: &str = "[[route.step]]\nlog = { message = 'x' }\n";

fn why(ended: Ended) -> String {
    match ended {
        Ended::Stuck { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_paused_queue_ends_a_finite_run_with_a_sentence() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    let pause = Pause {
        author: "ops".into(),
        reason: "deploy".into(),
        since: Timestamp::EPOCH,
    };
    let queue = QueueName::new("q").unwrap();
    stage
        .connection
        .backend()
        .admin
        .pause(&queue, &pause)
        .await
        .unwrap();
    let file = format!("[[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n{LOG}");
    assert_eq!(
        why(stage.run(&file).await.ended),
        "the queue q is paused by ops (deploy) with 1 messages left; lift that with: longshore resume q"
    );
}

#[tokio::test]
async fn kinds_that_no_route_takes_end_a_finite_run() {
    let stage = Stage::new().await;
    stage.enqueue_with("q", "a", &[], "known").await;
    stage.enqueue_with("q", "b", &[], "other").await;
    let file = format!("[[route]]\nname = 'r'\nfrom = {{ queue = 'q', kind = 'known' }}\n{LOG}");
    let summary = stage.run(&file).await;
    assert_eq!(summary.acked, 1);
    assert_eq!(
        why(summary.ended),
        "1 messages are left in the queue q of a kind that no route here takes, such as \"other\"; add a route for it, or one without a kind"
    );
}

#[tokio::test]
async fn the_exact_kind_wins_over_the_route_without_one() {
    let stage = Stage::new().await;
    stage.enqueue_with("q", "a", &[], "special").await;
    stage.enqueue_with("q", "b", &[], "ordinary").await;
    let file = "[[route]]\nname = 'any'\nfrom = { queue = 'q' }\n[[route.step]]\nfile = { path = 'any.txt' }\n\
        [[route]]\nname = 'one'\nfrom = { queue = 'q', kind = 'special' }\n[[route.step]]\nfile = { path = 'one.txt' }\n";
    let summary = stage.run(file).await;
    assert_eq!(summary.acked, 2);
    assert_eq!(
        (
            stage.read("one.txt").as_str(),
            stage.read("any.txt").as_str()
        ),
        ("a\n", "b\n")
    );
}

#[tokio::test]
async fn a_parked_group_ends_a_finite_run() {
    let stage = Stage::new().await;
    let queue = QueueName::new("q").unwrap();
    for body in ["bad", "good"] {
        let id = longshore::MessageId::from_uuid(uuid::Uuid::now_v7());
        let kind = JobKind::default();
        let mut message = longshore::NewMessage::new(id, longshore::IdOrigin::Fresh, kind, body);
        message.group = Some(GroupName::new("g").unwrap());
        stage
            .connection
            .backend()
            .queues
            .enqueue(&queue, &[message])
            .await
            .unwrap();
    }
    let file = "[queue.q]\non_group_dead = 'park'\n\
        [[route]]\nname = 'r'\nfrom = { queue = 'q' }\n\
        [[route.step]]\nexec = { command = ['sh', '-c', 'grep -q good || exit 65'] }\n";
    let summary = stage.run(file).await;
    assert_eq!((summary.acked, summary.dead), (0, 1));
    assert!(
        why(summary.ended)
            .starts_with("1 messages of the queue q wait behind the dead head of their group")
    );
}

#[tokio::test]
async fn a_delayed_message_is_waited_for() {
    let stage = Stage::new().await;
    let queue = stage.connection.queue("q").unwrap();
    let kind = JobKind::default();
    queue
        .enqueue_raw(kind, "x")
        .delay(Duration::from_millis(700))
        .await
        .unwrap();
    let file = format!("[[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n{LOG}");
    let summary = stage.run(&file).await;
    assert_eq!((summary.acked, summary.ended), (1, Ended::Idle));
}

#[tokio::test]
async fn only_some_routes_can_be_run() {
    let stage = Stage::new().await;
    stage.enqueue("p", &["x"]).await;
    stage.enqueue("q", &["x"]).await;
    let file = format!(
        "[[route]]\nname = 'first'\nfrom = {{ queue = 'p' }}\n{LOG}\
         [[route]]\nname = 'second'\nfrom = {{ queue = 'q' }}\n\
         [[route.step]]\nexec = {{ command = ['no-such-program'] }}\n"
    );
    let first = vec!["first".parse().unwrap()];
    let ready = stage
        .runner(&file)
        .only(first)
        .until_idle(true)
        .prepare()
        .await
        .unwrap();
    assert_eq!(crate::stage::finish(ready).await.acked, 1);
    assert_eq!(stage.stats("q").await.live(), 1);

    let failure = stage
        .runner(&file)
        .only(vec!["frist".parse().unwrap()])
        .prepare()
        .await
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "there is no route \"frist\"; did you mean \"first\"?"
    );
    let RunFailure::Config(errors) = stage.runner(&file).prepare().await.unwrap_err() else {
        panic!("a missing program is a mistake of the file");
    };
    assert_eq!(
        errors[0].message,
        "the program \"no-such-program\" is not on the PATH"
    );
    assert_eq!((errors[0].line, errors[0].column), (10, 21));
}

#[tokio::test]
async fn settings_of_queues_are_kept_in_the_store() {
    let stage = Stage::new().await;
    let file = format!(
        "[queue.\"a.b\"]\nexpires = '1d'\nbody_max = '64KiB'\ndepth_max = 10\non_group_dead = 'park'\non_expired = 'discard'\nid_window = '1h'\n\
         [[route]]\nname = 'r'\nfrom = {{ queue = 'a.b' }}\n{LOG}"
    );
    stage.run(&file).await;
    let queue = QueueName::new("a.b").unwrap();
    let settings = stage
        .connection
        .backend()
        .admin
        .settings(&queue)
        .await
        .unwrap();
    assert_eq!(settings.expires_ms, Some(86_400_000));
    assert_eq!(
        (settings.body_max, settings.depth_max),
        (Some(65_536), Some(10))
    );
    assert_eq!(settings.id_window_ms, Some(3_600_000));
    assert!(
        settings.authors["depth_max"].ends_with("routes.toml"),
        "{:?}",
        settings.authors
    );
}

#[tokio::test]
async fn a_shutdown_lets_running_jobs_end_and_starts_no_other() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["1", "2", "3", "4"]).await;
    stage.script("work", "touch started.$LONGSHORE_ID; sleep 1; cat");
    let file = "[worker]\nconcurrency = 1\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n\
        [[route.step]]\nexec = { command = ['./work'], stdout = 'body' }\n\
        [[route.step]]\nfile = { path = 'out.txt' }\n";
    let running = stage.start(file).await;
    until("one runs", || async { running.handle.stats().running == 1 }).await;
    let summary = running.stop().await;
    assert_eq!((summary.acked, summary.retried), (1, 0));
    let stats = stage.stats("q").await;
    assert_eq!((stats.waiting, stats.leased), (3, 0));
    for stored in stage.waiting("q").await.values() {
        assert_ne!(stored, "1");
    }
}

#[tokio::test]
async fn a_deferred_route_finishes_what_others_send_it_at_shutdown() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    stage.script("slow", "touch started; sleep 1; cat");
    let file = "[worker]\ndrain = '20s'\n\
        [[route]]\nname = 'front'\nfrom = { queue = 'q' }\n\
        [[route.step]]\nexec = { command = ['./slow'], stdout = 'body' }\n\
        [[route.step]]\nforward = { queue = 'inner' }\n\
        [[route]]\nname = 'back'\nfrom = { queue = 'inner' }\nshutdown = 'defer'\n\
        [[route.step]]\nfile = { path = 'out.txt' }\n";
    let running = stage.start(file).await;
    until("the first job runs", || async {
        stage.path("started").exists()
    })
    .await;
    let summary = running.stop().await;
    assert_eq!(
        summary.acked, 2,
        "the parent and the child that it sent during the shutdown"
    );
    assert_eq!(stage.read("out.txt"), "x\n");
}

#[tokio::test]
async fn a_fed_route_with_running_tasks_all_finishes_what_was_fed() {
    let stage = Stage::new().await;
    let content = numbered(40);
    stage.write("in.txt", content);
    let file = "[worker]\nconcurrency = 2\n\
        [[route]]\nname = 'in'\nfrom = { lines = 'in.txt' }\nrunning_tasks = 'all'\n\
        [[route.step]]\nexec = { command = ['sh', '-c', 'sleep 0.05; cat'], stdout = 'body' }\n\
        [[route.step]]\nfile = { path = 'out.txt' }\n";
    let running = stage.start(file).await;
    until("all is fed and some is done", || async {
        let stats = running.handle.stats();
        stats.fed == 40 && stats.acked > 0
    })
    .await;
    let summary = running.stop().await;
    assert_eq!(summary.acked, 40);
    assert_eq!(stage.read("out.txt").lines().count(), 40);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_leaves_the_lease() {
    let stage = Stage::new().await;
    stage.enqueue("q", &["x"]).await;
    stage.script("slow", "touch started; sleep 60");
    let file = "[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n[[route.step]]\nexec = { command = ['./slow'] }\n";
    let ready = stage.runner(file).prepare().await.unwrap();
    let handle = ready.handle();
    let task = tokio::spawn(crate::stage::finish(ready));
    until("it runs", || async { stage.path("started").exists() }).await;
    handle.stop();
    handle.stop_now();
    let summary = task.await.unwrap();
    assert_eq!(summary.ended, Ended::StoppedNow);
    assert!(summary.seconds < 20.0);
    assert_eq!(stage.stats("q").await.live(), 1);
}

#[tokio::test]
async fn a_file_that_everybody_may_write_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new().await;
    let file = format!("[[route]]\nname = 'r'\nfrom = {{ queue = 'q' }}\n{LOG}");
    assert!(stage.load(&file).findings().is_empty());
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(stage.path("routes.toml"), open).unwrap();
    let set = longshore_routes::load(&[stage.path("routes.toml")], &|_| None).unwrap();
    assert_eq!(set.findings()[0].check, "permissions");
}
