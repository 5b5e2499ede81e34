//! Two data centres collect under the same keys while the wire between them is cut.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::park_timeout;
use std::time::Duration;

use longshore_system_tests::{DataCentres, Place, until};
use serde_json::Value;

/// Parts, and keys that have as many each.
const PARTS: u64 = 2_000;
const KEYS: u64 = 200;
/// Parts are stored in so many pieces on each side; before these the wire is cut, and healed.
const PIECES: u64 = 10;
const CUT_AT: [u64; 2] = [2, 6];
const HEALED_AT: [u64; 2] = [4, 9];
const PATIENCE: Duration = Duration::from_secs(120);

/// The example runs here: its invoices are of ten orders.
const ROUTES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/regions/invoices.toml"
);

/// Each part is in one released message, and each key is released once: half of its parts come from
/// the other side.
#[test]
fn two_data_centres_collect_each_key_once_however_the_wire_is_cut() {
    let place = Place::new();
    let Some(centres) = DataCentres::start(&place) else {
        return;
    };
    for centre in [1, 2] {
        centres.json(centre, &["schema", "apply"], "");
    }
    let run = ["run", ROUTES, "--quiet"];
    let workers = [1, 1, 2, 2].map(|centre| centres.start_in(&place, centre, &run));
    for piece in 0..PIECES {
        if CUT_AT.contains(&piece) {
            centres.cut();
        }
        if HEALED_AT.contains(&piece) {
            centres.heal();
        }
        for centre in [1, 2] {
            let lines = lines(u64::from(centre), piece);
            let stored = centres.json(centre, &["enqueue", "orders", "--lines", "-"], &lines);
            assert_eq!(stored["stored"], PARTS / PIECES / 2, "{stored}");
        }
        park_timeout(Duration::from_secs(1));
    }
    until("all parts are released", PATIENCE, || {
        let released = [1, 2].map(|centre| released(&centres, centre));
        released.iter().sum::<u64>() == PARTS
    });
    drop(workers);
    let (mut keys, mut seen) = (BTreeSet::new(), BTreeMap::new());
    let mut of_each = Vec::new();
    for centre in [1, 2] {
        let limit = KEYS.to_string();
        let out = centres.json(centre, &["peek", "invoice", "--limit", &limit], "");
        let messages = out.as_array().expect("a list").clone();
        of_each.push(messages.len());
        for message in messages {
            let key = message["headers"]["aggregate-key"].to_string();
            assert!(keys.insert(key.clone()), "{key} came twice");
            let body = message["body"].as_str().expect("a text");
            let parts: Vec<Value> = serde_json::from_str(body).expect("JSON");
            for part in parts {
                *seen.entry(part["n"].as_u64()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.len() as u64, PARTS, "parts are missing");
    assert!(seen.values().all(|times| *times == 1), "a part came twice");
    assert_eq!(keys.len() as u64, KEYS);
    assert!(of_each.iter().all(|count| *count > 50), "{of_each:?}");
}

/// A piece of one side: every second part.
fn lines(centre: u64, piece: u64) -> String {
    let all = (0..PARTS).filter(|n| n % 2 == centre - 1);
    let of_piece = all.filter(|n| n / 2 % PIECES == piece);
    let line = |n: u64| format!("{{\"customer\":\"k{}\",\"n\":{n}}}\n", n / 2 % KEYS);
    of_piece.map(line).collect()
}

fn released(centres: &DataCentres, centre: u8) -> u64 {
    let listed = centres.json(centre, &["aggregates", "list"], "");
    listed[0]["released"].as_u64().unwrap_or_default()
}
