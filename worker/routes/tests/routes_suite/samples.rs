//! The route files that are shipped: they load, check and do what they say.

use std::path::{Path, PathBuf};

use longshore::core::Severity;
use longshore_routes::{self as routes, Ended, RouteSet, Runner};

use crate::stage::{Stage, finish};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn load(path: PathBuf) -> RouteSet {
    routes::load(&[path], &|_| None).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn every_shipped_route_file_loads() {
    let mut loaded = 0;
    for folder in ["routes", "quickstart", "compose"] {
        for entry in std::fs::read_dir(examples().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                load(path);
                loaded += 1;
            }
        }
    }
    assert!(loaded >= 5, "{loaded}");
}

#[test]
fn the_large_sample_is_checked_shown_and_explained() {
    let set = load(examples().join("routes/images.toml"));
    assert_eq!(
        set.store_url().unwrap().to_string(),
        "sqlite://./longshore.db"
    );
    assert_eq!(set.needed_stores(&[])[0].0, "billing");
    let warnings = set.findings();
    let warnings = warnings
        .iter()
        .filter(|one| one.severity == Severity::Warning);
    assert_eq!(
        warnings.map(|one| one.check.as_str()).collect::<Vec<_>>(),
        ["kinds", "intake"],
        "an inbox is made by whoever runs the sample"
    );
    let graph = set.graph().to_string();
    let shown = [
        "queue images, kind resize",
        "1. exec sh -c convert - -resize \"$LONGSHORE_VAR_WIDTH\" -",
        "2. PUT https://cdn.example/{{ id }}",
        "3. forward to images.done of billing  when {{ headers.bill == 'yes' }}",
        "on error: 21 attempts over about ",
        "http.503: 21 attempts",
        "timeout: 3 attempts (all routes)",
        "lines of inbox/*.jsonl",
    ];
    for line in shown {
        assert!(graph.contains(line), "{line}\n{graph}");
    }
    let plan = set.explain(Some("thumbs"), "http.503").unwrap()[0].to_string();
    assert!(
        plan.contains("decided by the route clause \"http.503\""),
        "{plan}"
    );
    assert!(
        plan.contains("retry  1 after 5s (4250ms to 5750ms)"),
        "{plan}"
    );
    let plan = set.explain(Some("thumbs"), "exec.exit.65").unwrap()[0].to_string();
    assert!(plan.ends_with("dead letter at the first failure"), "{plan}");
    let plans = set.explain(None, "timeout").unwrap();
    assert_eq!(plans.len(), 2, "one for each route");
    assert_eq!(plans[1].clause.as_ref().unwrap().scope, "global");
    assert!(
        set.explain(Some("tumbs"), "timeout")
            .unwrap_err()
            .contains("did you mean \"thumbs\"?")
    );
}

/// Copies a folder of examples, so that a run writes nothing into the repository.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn quickstart(stage: &Stage) -> routes::Summary {
    let set = load(stage.path("quickstart/quickstart.toml"));
    let runner = Runner::new(set, stage.connection.clone()).until_idle(true);
    finish(runner.prepare().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstart_does_what_its_readme_says() {
    let stage = Stage::sqlite().await;
    copy(&examples().join("quickstart"), &stage.path("quickstart"));
    let summary = quickstart(&stage).await;
    assert_eq!(summary.ended, Ended::Idle);
    assert_eq!(
        (summary.fed, summary.acked, summary.retried, summary.dead),
        (4000, 3960, 58, 40)
    );
    let parsed = stage.read("quickstart/out/parsed.jsonl");
    assert_eq!(parsed.lines().count(), 3960);
    let again = parsed.lines().filter(|line| line.contains("\"attempt\":2"));
    assert_eq!(again.count(), 58);
    let dead = stage.dead("route.access").await;
    let reasons: Vec<_> = dead
        .iter()
        .map(|one| &one.history.last().unwrap().record.error)
        .collect();
    let cut = reasons
        .iter()
        .filter(|error| error.ends_with("broken line: agent without an end"));
    assert_eq!(cut.count(), 10);

    let summary = quickstart(&stage).await;
    assert_eq!(
        (summary.fed, summary.acked, summary.dead),
        (0, 0, 0),
        "nothing is fed twice"
    );
}

#[tokio::test]
async fn the_inbox_sample_packs_files_and_deletes_them() {
    let stage = Stage::new().await;
    copy(&examples().join("routes"), stage.folder());
    stage.write("inbox/a.txt", "first");
    stage.write("inbox/b.txt", "second");
    let set = load(stage.path("inbox.toml"));
    assert!(set.findings().is_empty(), "{:?}", set.findings());
    let runner = Runner::new(set, stage.connection.clone()).until_idle(true);
    let summary = finish(runner.prepare().await.unwrap()).await;
    assert_eq!((summary.fed, summary.acked, summary.dead), (2, 2, 0));
    assert_eq!(std::fs::read_dir(stage.path("inbox")).unwrap().count(), 0);
    let packed = std::fs::read(stage.path("done/a.txt.gz")).unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
}

/// All keys of a schema, wherever they stand.
fn keys(schema: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| keys(value, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_reference_names_every_key() {
    let page = std::fs::read_to_string(examples().join("../docs/routes.md")).unwrap();
    let mut known = std::collections::BTreeSet::new();
    keys(&routes::json_schema(), &mut known);
    assert!(known.len() > 50, "{known:?}");
    let told = |key: &&String| {
        [
            format!("`{key}`"),
            format!("{key} ="),
            format!("[{key}"),
            format!(".{key}]"),
        ]
        .iter()
        .any(|form| page.contains(form.as_str()))
    };
    let missing: Vec<_> = known.iter().filter(|key| !told(key)).collect();
    assert!(
        missing.is_empty(),
        "docs/routes.md does not name {missing:?}"
    );
}
