//! Opening: what is refused, and in which words.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::time::Duration;

use longshore_core::{
    Disposition, IdOrigin, JobKind, MessageId, NewMessage, OpenOptions, QueueName, QueueStore as _,
    Receive, Settled, Settlement, StoreErrorKind as Kind,
};

use super::stage::Stage;

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_refused_in_words() {
    let stage = Stage::new().await;
    let refused = async |keys: &str, create, kind, words: &str| {
        let error = stage.open(keys, create).await.expect_err(words);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    refused("", false, Kind::NotFound, "longshore schema apply").await;
    for create in [true, false] {
        refused(
            "&schema=manual",
            create,
            Kind::Misconfigured,
            "schema=manual",
        )
        .await;
    }
    refused("&dc=mars", true, Kind::Misconfigured, "known: dc1").await;
    refused("&rf=9", true, Kind::Misconfigured, "more copies than").await;

    stage
        .cql("CREATE KEYSPACE KS WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1}")
        .await;
    refused("", true, Kind::Misconfigured, "add rf=1").await;
    stage
        .open("&rf=1", true)
        .await
        .expect("a single copy, as told");
    refused("", false, Kind::Misconfigured, "add rf=1").await;

    stage
        .cql("UPDATE KS.meta SET version = 99 WHERE name = 'schema' IF EXISTS")
        .await;
    refused("&rf=1", true, Kind::Unsupported, "version 99").await;
    stage.end().await;
}

/// Each data centre has a cell of its own, and none works that of another.
#[tokio::test(flavor = "multi_thread")]
async fn a_cell_belongs_to_one_data_centre() {
    let stage = Stage::new().await;
    let first = stage.open("", true).await.expect("tables");
    assert!(format!("{first:?}").contains("cell: 0"), "{first:?}");
    let again = stage.open("&cell=0&dc=dc1", true).await;
    again.expect("its own cell");
    let other = stage.open("&cell=7", true).await;
    other.expect("a second one of the same data centre");
    stage
        .cql("UPDATE KS.cell SET dc = 'mars' WHERE name = 'cells' AND cell = 0 IF EXISTS")
        .await;
    let refused = stage.open("&cell=0", true).await;
    let error = refused.expect_err("it belongs to mars").to_string();
    assert!(
        error.contains("cell 0 belongs to data centre mars, and this one is dc1"),
        "{error}"
    );
    let own = stage.open("", true).await.expect("the one that is left");
    assert!(format!("{own:?}").contains("cell: 7"), "{own:?}");
    stage
        .cql("DELETE FROM KS.cell WHERE name = 'cells' AND cell = 7")
        .await;
    let free = stage.open("", true).await.expect("a free one");
    assert!(format!("{free:?}").contains("cell: 1"), "{free:?}");
    stage.end().await;
}

/// Workers of a new data centre start together.
#[tokio::test(flavor = "multi_thread")]
async fn several_that_open_a_new_cell_at_once_share_it() {
    let stage = Stage::new().await;
    stage.open("", true).await.expect("tables");
    let refused = stage.open("&cell=5", false).await;
    let error = refused.expect_err("nothing is stored there");
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    let words = error.to_string();
    assert!(words.contains("cell 5"), "{words}");
    let opens = (0..12).map(|_| stage.open("&cell=5", true));
    for opened in futures_util::future::join_all(opens).await {
        opened.expect("the cell");
    }
    stage.open("&cell=5", false).await.expect("it is there");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_version_are_refused_with_what_to_do() {
    let stage = Stage::new().await;
    stage.open("", true).await.expect("tables");
    for (version, advice) in [(2, "another keyspace"), (1000, "upgrade this program")] {
        let change = "UPDATE KS.meta SET version = VERSION WHERE name = 'schema' IF EXISTS";
        stage
            .cql(&change.replace("VERSION", &version.to_string()))
            .await;
        let error = stage.open("", true).await.expect_err("it is another one");
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_told_for_each_data_centre() {
    let stage = Stage::new().await;
    let opened = stage.open("&rf=dc1:3,mars:3", true).await;
    let error = opened.expect_err("there is no mars").to_string();
    assert!(
        error.contains("than data centre mars has nodes: 0"),
        "{error}"
    );
    stage.open("&rf=dc1:2", true).await.expect("two copies");
    let error = stage.open("&rf=dc1:3", true).await;
    let error = error.expect_err("there are two").to_string();
    assert!(
        error.contains("keeps 2 copies in data centre dc1"),
        "{error}"
    );
    assert!(error.contains("ALTER KEYSPACE"), "{error}");
    stage.end().await;
}

/// A receipt of another cell says so, rather than that its lease is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_another_cell_is_told() {
    let stage = Stage::new().await;
    let one = stage.open("&cell=1", true).await.expect("a store");
    let two = stage.open("&cell=2", true).await.expect("another one");
    let queue = QueueName::new("q").expect("a name");
    let id = MessageId::from_uuid(uuid::Uuid::from_u128(5));
    let new = NewMessage::new(id, IdOrigin::Given, JobKind::default(), "x");
    one.enqueue(&queue, &[new]).await.expect("stored");
    let request = Receive {
        batch_max: NonZeroU32::MIN,
        lease: LEASE,
        wait_max: Duration::from_secs(20),
    };
    let received = one.receive(&queue, request).await.expect("an answer");
    let receipt = received.deliveries[0].receipt.clone();
    let extended = two
        .extend(&queue, std::slice::from_ref(&receipt), LEASE)
        .await;
    let settlement = Settlement {
        receipt,
        disposition: Disposition::Ack,
    };
    let settled = two.settle(&queue, std::slice::from_ref(&settlement)).await;
    for answer in [extended, settled] {
        let error = answer.expect_err("it is of cell 1");
        assert_eq!(error.kind(), Kind::InvalidInput, "{error}");
        assert!(
            error
                .to_string()
                .contains("is of cell 1, and this store works cell 2"),
            "{error}"
        );
    }
    let settled = one.settle(&queue, &[settlement]).await.expect("an answer");
    assert_eq!(settled, [Settled::Applied]);
    stage.end().await;
}

/// A run was killed after it took its turn: the next one waits until that is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_was_not_used_ends() {
    let stage = Stage::new().await;
    stage
        .cql("CREATE KEYSPACE KS WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}")
        .await;
    stage
        .cql("CREATE TABLE KS.meta (name text PRIMARY KEY, version int, creator uuid)")
        .await;
    stage
        .cql("INSERT INTO KS.meta (name, creator) VALUES ('schema', uuid()) IF NOT EXISTS USING TTL 3")
        .await;
    stage.open("", true).await.expect("tables");
    stage.open("", false).await.expect("tables are there");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_creators_at_once_make_the_tables_once() {
    let stage = Stage::new().await;
    let both = futures_util::future::join(stage.open("", true), stage.open("", true)).await;
    both.0.expect("the first");
    both.1.expect("the second");
    stage.open("&schema=manual", true).await.expect("tables");
    stage.end().await;
}

/// A web server, and one whose answer claims to be of two gigabytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_no_cassandra_is_told_soon() {
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..],
        &[0x84, 0, 0, 0, 6, 0x7f, 0xff, 0xff, 0xff, 0, 0],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                let mut caller = caller;
                let mut asked = [0; 512];
                let _ = caller.read(&mut asked);
                let _ = caller.write_all(answer);
            }
        });
        let url = format!("cassandra://127.0.0.1:{port}/shop?timeout=2s");
        let url = url.parse().expect("a URL");
        let opened = longshore_cassandra::open(&url, OpenOptions::default()).await;
        let error = opened.expect_err("not a Cassandra");
        assert_eq!(error.kind(), Kind::Misconfigured, "{error}");
        assert!(error.to_string().contains("no Cassandra node"), "{error}");
    }
}
