//! Which files are made, and which are refused and left as they are.

use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use longshore_conformance::until;
use longshore_core::{Backend, OpenOptions, Receive, StoreErrorKind};

use crate::scene::{Scene, open, put, queue, refused, take, url, waiting};

#[tokio::test]
async fn all_files_are_readable_by_their_owner_alone() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "secret").await.unwrap();
    for suffix in ["", "-wal", "-shm", "-lock", "-bell"] {
        let meta = fs::metadata(scene.beside(suffix)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "q.db{suffix}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_a_new_file_at_once() {
    let scene = Scene::new();
    let opening = (0..8).map(|_| scene.open_elsewhere(""));
    let stores = futures_of(opening).await;
    for store in &stores {
        put(store, "x").await.unwrap();
    }
    assert_eq!(waiting(&stores[0]).await, 8);
}

async fn futures_of<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut done = Vec::new();
    let mut pending: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pending.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[tokio::test]
async fn what_was_stored_is_there_after_all_handles_are_gone() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "x").await.unwrap();
    drop(store);
    assert_eq!(waiting(&scene.open_elsewhere("").await).await, 1);
}

/// As a release of schema version 1 left it, with a message in a worker's hands.
#[tokio::test]
async fn a_file_of_the_version_before_is_brought_up_to_date_with_what_is_in_it() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "held").await.unwrap();
    put(&store, "waits").await.unwrap();
    assert_eq!(take(&store, 1, Duration::ZERO).await.len(), 1);
    drop(store);
    until_closed(&scene).await;
    sql(
        &scene.file(),
        "DROP TABLE boot; DROP TABLE aggregate; DROP TABLE aggregate_rules; DROP TABLE open_epoch;
         DROP TABLE closed_epoch; DROP TABLE part; PRAGMA user_version = 1",
    );
    let store = scene.open().await;
    let taken = take(&store, 10, Duration::ZERO).await;
    assert_eq!(taken.len(), 1, "the lease of the other goes on");
    assert_eq!(taken[0].message.body, "waits");
    drop(store);
    until_closed(&scene).await;
    let conn = rusqlite::Connection::open(scene.file()).unwrap();
    let boots = conn.query_row("SELECT count(*) FROM boot", (), |row| row.get::<_, i64>(0));
    let on_linux = i64::from(cfg!(target_os = "linux"));
    assert_eq!(boots.unwrap(), on_linux);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let scene = Scene::new();
    drop(scene.open().await);
    until_closed(&scene).await;
    sql(&scene.file(), "PRAGMA user_version = 99");
    let before = fs::read(scene.file()).unwrap();
    let error = refused(&scene.file()).await;
    assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("version 99"), "{error}");
    assert_eq!(fs::read(scene.file()).unwrap(), before);
}

#[tokio::test]
async fn the_database_of_another_application_is_refused_and_left_alone() {
    for setup in [
        "CREATE TABLE t (x)",
        "PRAGMA application_id = 7; CREATE TABLE t (x)",
        "PRAGMA journal_mode = WAL; CREATE TABLE t (x)",
    ] {
        let scene = Scene::new();
        sql(&scene.file(), setup);
        let before = fs::read(scene.file()).unwrap();
        let error = refused(&scene.file()).await;
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("another application"), "{error}");
        assert_eq!(fs::read(scene.file()).unwrap(), before);
        assert_eq!(names(&scene), ["q.db"], "{setup}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let garbage: [&[u8]; 3] = [b"x", &[0; 4096], &[b'#'; 5000]];
    for bytes in garbage {
        let scene = Scene::new();
        fs::write(scene.file(), bytes).unwrap();
        let error = refused(&scene.file()).await;
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
        assert_eq!(fs::read(scene.file()).unwrap(), bytes);
        assert_eq!(names(&scene), ["q.db"]);
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "x").await.unwrap();
    drop(store);
    until_closed(&scene).await;
    for companion in ["-lock", "-bell"] {
        fs::remove_file(scene.beside(companion)).unwrap();
    }
    let mut bytes = fs::read(scene.file()).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(scene.file(), &bytes).unwrap();
    let error = refused(&scene.file()).await;
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    assert_eq!(fs::read(scene.file()).unwrap(), bytes);
}

#[tokio::test]
async fn places_where_no_file_can_be_are_named() {
    let scene = Scene::new();
    let error = refused(scene.directory()).await;
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(error.to_string().contains("directory"), "{error}");
    let error = refused(&scene.directory().join("none/q.db")).await;
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(error.to_string().contains("does not exist"), "{error}");
    let error = refused(Path::new("/proc/self/q.db")).await;
    assert_eq!(error.kind(), StoreErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn a_read_only_file_is_refused() {
    let scene = Scene::new();
    drop(scene.open().await);
    until_closed(&scene).await;
    fs::set_permissions(scene.file(), fs::Permissions::from_mode(0o400)).unwrap();
    let error = refused(&scene.file()).await;
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    let text = error.to_string();
    assert!(text.contains("marked read-only (owner uid "), "{text}");
    assert!(text.contains("mode 400"), "{text}");
}

#[tokio::test]
async fn nothing_is_created_unless_asked() {
    let scene = Scene::new();
    let mut options = OpenOptions::default();
    options.create = false;
    let answer = longshore_sqlite::open(&url(&scene.file(), ""), &options).await;
    assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert!(names(&scene).is_empty());
    fs::write(scene.file(), "").unwrap();
    let answer = longshore_sqlite::open(&url(&scene.file(), ""), &options).await;
    assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(names(&scene), ["q.db"], "an empty file is no store");
}

#[tokio::test]
async fn odd_file_names_are_just_names() {
    let scene = Scene::new();
    let file = scene.directory().join("queue #1 100%25 é.db");
    put(&open(&file, "").await.unwrap(), "x").await.unwrap();
    assert!(scene.directory().join("queue #1 100% é.db").exists());
}

/// The last handle closes the file in the background; then the WAL is gone.
async fn until_closed(scene: &Scene) {
    until("the file is closed", async || {
        !scene.beside("-wal").exists()
    })
    .await;
}

fn sql(file: &Path, text: &str) {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute_batch(text).unwrap();
}

fn names(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.directory()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Moves a database and its companions aside, as a clean-up job or a restore would.
fn take_away(scene: &Scene) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::rename(scene.beside(suffix), scene.beside(&format!("{suffix}.old")));
    }
}

/// Receives as a worker does: what fails and may be repeated is repeated.
async fn take_at_last(store: &Backend) -> bytes::Bytes {
    loop {
        let request = Receive {
            batch_max: NonZeroU32::MIN,
            lease: Duration::from_secs(30),
            wait_max: Duration::from_secs(60),
        };
        match store.queues.receive(&queue(), request).await {
            Ok(mut received) => return received.deliveries.remove(0).message.body,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_was_replaced_is_opened_anew() {
    let scene = Scene::new();
    let store = scene.open_elsewhere("").await;
    for body in ["old", "older"] {
        put(&store, body).await.unwrap();
    }
    take_away(&scene);
    let other = scene.open_elsewhere("").await;
    put(&other, "new").await.unwrap();
    until("it is noticed", async || put(&store, "both").await.is_ok()).await;
    assert_eq!(waiting(&other).await, 2, "both use one file");
    assert_eq!(waiting(&store).await, 2);
}

#[tokio::test]
async fn a_sleeping_receiver_finds_what_is_in_the_new_file() {
    let scene = Scene::new();
    let store = scene.open_elsewhere("").await;
    put(&store, "old").await.unwrap();
    assert_eq!(take(&store, 9, Duration::ZERO).await.len(), 1);
    let receiving = tokio::spawn(async move { take_at_last(&store).await });
    take_away(&scene);
    put(&scene.open_elsewhere("").await, "new").await.unwrap();
    assert_eq!(receiving.await.unwrap(), "new");
}

#[tokio::test]
async fn a_file_that_is_gone_is_an_error_and_is_not_made_again() {
    let scene = Scene::new();
    let store = scene.open_elsewhere("").await;
    put(&store, "old").await.unwrap();
    take_away(&scene);
    until("it is noticed", async || {
        put(&store, "lost?").await.is_err()
    })
    .await;
    let error = put(&store, "again").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("removed or moved"), "{error}");
    assert!(!scene.file().exists(), "nobody made a new one");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::rename(scene.beside(&format!("{suffix}.old")), scene.beside(suffix));
    }
    until("it is back", async || put(&store, "back").await.is_ok()).await;
}

#[tokio::test]
async fn a_bell_that_was_replaced_still_wakes() {
    let scene = Scene::new();
    let store = scene.open_elsewhere("").await;
    put(&store, "x").await.unwrap();
    assert_eq!(take(&store, 9, Duration::ZERO).await.len(), 1);
    for suffix in ["-bell", "-lock"] {
        fs::remove_file(scene.beside(suffix)).unwrap();
    }
    let other = scene.open_elsewhere("").await;
    let receiving = tokio::spawn(async move { take_at_last(&store).await });
    put(&other, "new").await.unwrap();
    assert_eq!(receiving.await.unwrap(), "new");
}
