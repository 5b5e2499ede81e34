//! Feeding from files: everything once, nothing lost, whatever happens in between.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use longshore_routes::Ended;

use crate::stage::{Stage, numbered, until};

const LINES: &str = "[[route]]\nname = 'in'\nfrom = { lines = 'in/*.txt', as_kind = 'line' }\n\
    [[route.step]]\nfile = { path = 'out.txt' }\n";

const FILES: &str = "[[route]]\nname = 'in'\nfrom = { file = 'in/*.txt' }\n\
    [[route.step]]\nfile = { path = 'out.txt' }\n";

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn append(stage: &Stage, name: &str, text: &str) {
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(stage.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Makes a file look as if it had been there for a while.
fn age(stage: &Stage, name: &str) {
    let file = std::fs::File::options()
        .append(true)
        .open(stage.path(name))
        .unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified - Duration::from_secs(60))
        .unwrap();
}

#[tokio::test]
async fn each_line_is_a_message_once() {
    let stage = Stage::sqlite().await;
    stage.write("in/a.txt", "one\r\ntwo\n\nthree");
    stage.write("in/b.txt", "one\n");
    stage.write("in/c.other", "not this\n");
    let summary = stage.run(LINES).await;
    assert_eq!((summary.fed, summary.acked), (4, 4));
    assert_eq!(
        sorted(&stage.read("out.txt")),
        ["one", "one", "three", "two"]
    );
    assert_eq!(
        stage.run(LINES).await.fed,
        0,
        "a second run finds nothing new"
    );
    append(&stage, "in/a.txt", "\nfour\n");
    assert_eq!(stage.run(LINES).await.fed, 1, "only what was added");
}

#[tokio::test]
async fn equal_lines_of_one_file_are_different_messages() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", "same\n".repeat(1000));
    let summary = stage.run(LINES).await;
    assert_eq!((summary.fed, summary.acked), (1000, 1000));
}

#[tokio::test]
async fn templates_see_where_a_line_came_from() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", "x\ny\n");
    let file = LINES.replace(
        "file = { path = 'out.txt' }",
        "exec = { command = ['echo', '{{ headers.file_name }}:{{ headers.line_number }} {{ kind }} {{ queue }}'], values_in_arguments = true, stdout = 'body' }\n\
         [[route.step]]\nfile = { path = 'out.txt' }",
    );
    stage.run(&file).await;
    assert_eq!(
        sorted(&stage.read("out.txt")),
        ["a.txt:1 line route.in", "a.txt:2 line route.in"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feeder_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let stage = Stage::sqlite().await;
    let count = 20_000;
    let content = numbered(count);
    stage.write("in/a.txt", content);
    // Nothing is worked: what is stored is what was fed.
    let file = LINES.replace(
        "file = { path = 'out.txt' }",
        "exec = { command = ['sleep', '600'] }",
    ) + "[worker]\nconcurrency = 1\n";
    for _ in 0..2 {
        let before = stage.stats("route.in").await.live();
        let running = stage.start(&file).await;
        until("it feeds", || async {
            stage.stats("route.in").await.live() > before
        })
        .await;
        running.kill().await;
    }
    let running = stage.start(&file).await;
    until("all is fed", || async {
        stage.stats("route.in").await.live() >= count
    })
    .await;
    running.kill().await;
    assert_eq!(
        stage.stats("route.in").await.live(),
        count,
        "each line once"
    );
}

#[tokio::test]
async fn two_processes_feed_each_line_once() {
    let stage = Stage::sqlite().await;
    let content = numbered(3000);
    stage.write("in/a.txt", content);
    let (first, second) = tokio::join!(stage.run(LINES), stage.run(LINES));
    assert_eq!((first.ended, second.ended), (Ended::Idle, Ended::Idle));
    assert_eq!(first.fed + second.fed, 3000);
    assert_eq!(first.acked + second.acked, 3000);
    let lines: BTreeSet<_> = sorted(&stage.read("out.txt")).into_iter().collect();
    assert_eq!(lines.len(), 3000);
}

#[tokio::test]
async fn a_growing_file_is_followed_and_half_a_line_waits() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", "one\ntw");
    let running = stage.start(LINES).await;
    until("the whole line is there", || async {
        stage.read("out.txt") == "one\n"
    })
    .await;
    append(&stage, "in/a.txt", "o\nthree\n");
    until("the rest follows", || async {
        sorted(&stage.read("out.txt")) == ["one", "three", "two"]
    })
    .await;
    stage.write("in/b.txt", "four\n");
    until("a new file is found", || async {
        stage.read("out.txt").contains("four")
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_last_line_without_its_end_is_taken_once_the_file_rests() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", "one\ntwo");
    let running = stage.start(LINES).await;
    until("both are there", || async {
        sorted(&stage.read("out.txt")) == ["one", "two"]
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_rotated_or_truncated_file_is_another_one() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", "one\ntwo\n");
    stage.run(LINES).await;
    stage.write("in/a.txt", "one\n");
    assert_eq!(
        stage.run(LINES).await.fed,
        1,
        "shorter: read from its beginning"
    );
    stage.write("in/a.txt", "other\nlines\nhere\n");
    assert_eq!(
        stage.run(LINES).await.fed,
        3,
        "another beginning: another file"
    );
    stage.write("in/a.txt", "");
    assert_eq!(stage.run(LINES).await.fed, 0);
    stage.write("in/a.txt", "other\nlines\nhere\n");
    assert_eq!(
        stage.run(LINES).await.fed,
        3,
        "it only looks the same: it was empty in between"
    );
}

#[tokio::test]
async fn a_line_over_the_limit_is_loud_and_stops_nothing() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", format!("one\n{}\ntwo\n", "x".repeat(100)));
    let file = format!("{LINES}[queue.\"route.in\"]\nbody_max = 50\n");
    let summary = stage.run(&file).await;
    assert_eq!((summary.fed, summary.acked, summary.refused), (2, 2, 1));
    assert_eq!(sorted(&stage.read("out.txt")), ["one", "two"]);
}

#[tokio::test]
async fn a_full_queue_holds_the_feeder_back_and_nothing_is_lost() {
    let stage = Stage::sqlite().await;
    let content = numbered(500);
    stage.write("in/a.txt", content);
    let file = format!("{LINES}[queue.\"route.in\"]\ndepth_max = 20\n");
    let summary = stage.run(&file).await;
    assert_eq!((summary.fed, summary.acked, summary.dead), (500, 500, 0));
}

#[tokio::test]
async fn each_file_is_a_message_and_stays_where_it_is() {
    let stage = Stage::new().await;
    stage.write("in/a.txt", "first");
    stage.write("in/b.txt", b"second");
    let summary = stage.run(FILES).await;
    assert_eq!((summary.fed, summary.acked), (2, 2));
    assert!(stage.path("in/a.txt").exists());
    assert_eq!(stage.run(FILES).await.fed, 0);
    age(&stage, "in/a.txt");
    assert_eq!(stage.run(FILES).await.fed, 0, "touched, not changed");
    stage.write("in/a.txt", "changed");
    assert_eq!(stage.run(FILES).await.fed, 1);
    stage.write("in/a.txt", "first");
    assert_eq!(stage.run(FILES).await.fed, 1, "changed back is a change");
}

#[tokio::test]
async fn a_file_is_deleted_once_it_is_stored_and_the_next_one_is_another() {
    let stage = Stage::new().await;
    let file = FILES.replace("'in/*.txt'", "'in/*.txt', after = 'delete'");
    for _ in 0..3 {
        stage.write("in/ping.txt", "the same each time");
        let summary = stage.run(&file).await;
        assert_eq!((summary.fed, summary.acked), (1, 1));
        assert!(!stage.path("in/ping.txt").exists());
    }
    assert_eq!(stage.read("out.txt").lines().count(), 3);
}

#[tokio::test]
async fn a_file_over_the_limit_stays_and_is_told() {
    let stage = Stage::new().await;
    stage.write("in/large.txt", "x".repeat(100));
    stage.write("in/small.txt", "y");
    let file = FILES.replace("'in/*.txt'", "'in/*.txt', after = 'delete'")
        + "[queue.\"route.in\"]\nbody_max = 50\n";
    let summary = stage.run(&file).await;
    assert_eq!((summary.fed, summary.refused), (1, 1));
    assert!(stage.path("in/large.txt").exists() && !stage.path("in/small.txt").exists());
}

#[tokio::test]
async fn input_that_is_not_there_or_cannot_be_read_is_no_quiet_success() {
    let stage = Stage::new().await;
    let missing = LINES.replace("in/*.txt", "in/none.txt");
    std::fs::create_dir(stage.path("in")).unwrap();
    let why = |ended: Ended| match ended {
        Ended::Stuck { why } => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        why(stage.run(&missing).await.ended),
        "there is no file in/none.txt"
    );
    let nowhere = LINES.replace("in/*.txt", "nowhere/*.txt");
    assert!(why(stage.run(&nowhere).await.ended).starts_with("there is no folder "));
    assert_eq!(
        stage.run(LINES).await.ended,
        Ended::Idle,
        "an empty folder is an empty input"
    );
}

#[tokio::test]
async fn a_large_file_is_read_in_bounded_batches() {
    let stage = Stage::new().await;
    // Lines of very different lengths, together far more than one batch.
    let content: String = (0..3000).map(|n| "z".repeat(n) + "\n").collect();
    stage.write("in/a.txt", &content);
    let file = LINES.replace(
        "file = { path = 'out.txt' }",
        "log = { message = 'x', level = 'trace' }",
    );
    let summary = stage.run(&file).await;
    assert_eq!(
        (summary.fed, summary.acked),
        (2999, 2999),
        "all but the empty line"
    );
}

/// A copy may bring the time of its source: only what was observed counts.
#[tokio::test]
async fn a_file_that_grows_under_an_old_time_is_one_message() {
    let stage = Stage::sqlite().await;
    stage.write("in/a.txt", "0");
    age(&stage, "in/a.txt");
    let growing = async {
        for piece in 1..10 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            append(&stage, "in/a.txt", &piece.to_string());
            age(&stage, "in/a.txt");
        }
    };
    let (summary, ()) = tokio::join!(stage.run(FILES), growing);
    assert_eq!(summary.fed, 1);
    assert_eq!(stage.read("out.txt").trim(), "0123456789");
}

/// The last line of a file that is still written is no line yet, in a finite run either.
#[tokio::test]
async fn a_line_that_grows_is_one_message() {
    let stage = Stage::sqlite().await;
    stage.write("in/a.txt", "0");
    let growing = async {
        for piece in 1..10 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            append(&stage, "in/a.txt", &piece.to_string());
        }
    };
    let (summary, ()) = tokio::join!(stage.run(LINES), growing);
    assert_eq!(summary.fed, 1);
    assert_eq!(stage.read("out.txt").trim(), "0123456789");
}

/// Who may write into the folder cannot have other files of this user read.
#[tokio::test]
async fn a_pattern_follows_no_links() {
    let stage = Stage::sqlite().await;
    stage.write("in/plain.txt", "plain\n");
    stage.write("secret.txt", "secret\n");
    stage.write("elsewhere/deep.txt", "secret\n");
    std::os::unix::fs::symlink("../secret.txt", stage.path("in/link.txt")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", stage.path("in/folder")).unwrap();
    for pattern in ["in/*.txt", "in/*/*.txt"] {
        let summary = stage.run(&LINES.replace("in/*.txt", pattern)).await;
        let Ended::Stuck { why } = &summary.ended else {
            panic!("{:?}", summary.ended);
        };
        assert!(why.contains("symbolic link"), "{why}");
    }
    assert_eq!(stage.read("out.txt"), "plain\n");
    stage.write("out.txt", "");
    let named = LINES.replace("in/*.txt", "in/link.txt");
    assert_eq!(
        stage.run(&named).await.fed,
        1,
        "a path that is written out is followed"
    );
}
