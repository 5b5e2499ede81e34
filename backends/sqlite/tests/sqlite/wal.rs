//! The write-ahead log while a reader reads for long.

use longshore_core::Severity;

use crate::scene::{Scene, put};

/// More than the WAL is cut back to, in bodies of one MiB.
const BODIES: usize = 68;

/// A backup, a replication tool, a shell with an open transaction: the WAL cannot be cut, and
/// nobody may wait for that with the turn to write in hand. A wait would be a second for each
/// commit, which is more than the calls here are given.
#[tokio::test]
async fn a_long_reader_holds_up_nobody_and_doctor_names_it() {
    let scene = Scene::new();
    let store = scene.open_elsewhere("?sync=normal&timeout=800ms").await;
    put(&store, "first").await.unwrap();
    let reader = rusqlite::Connection::open(scene.file()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM message";
    let _: i64 = reader.query_row(count, (), |row| row.get(0)).unwrap();
    let patient = scene.open_elsewhere("?sync=normal").await;
    let body = "x".repeat(1 << 20);
    for _ in 0..BODIES {
        put(&patient, &body).await.unwrap();
    }
    // The files are looked at once a second: three looks.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(3);
    while std::time::Instant::now() < until {
        let answer = put(&store, "small").await;
        answer.expect("no call waits for a checkpoint");
    }
    let findings = store.admin.check().await.unwrap();
    let wal = findings.iter().find(|one| one.check == "write-ahead log");
    assert_eq!(wal.unwrap().severity, Severity::Warning);
    drop(reader);
    // Whoever cuts it writes all of it into the file first, which may take longer than 800 ms.
    longshore_conformance::until("the WAL is cut", async || {
        put(&patient, "small").await.unwrap();
        std::fs::metadata(scene.beside("-wal")).unwrap().len() <= 64 << 20
    })
    .await;
}
