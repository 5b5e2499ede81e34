//! One wrong file a row, and the one line that it gets.

use std::path::PathBuf;

use longshore_routes::load;

use crate::refusals::{ROUTE, STEP, check, check_steps, env, errors, errors_of};

#[test]
fn sound_files_load() {
    let sound = format!("version = 1\n{ROUTE}{STEP}");
    assert_eq!(errors(&sound), [""; 0]);
    assert_eq!(
        errors(&format!("\u{feff}{sound}")),
        [""; 0],
        "with a byte order mark"
    );
    assert_eq!(errors(&sound.replace('\n', "\r\n")), [""; 0], "with CRLF");
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    check(&[
        (
            "version = 1\nversion = 1\n",
            "r.toml:2:1: this is not TOML: duplicate key",
        ),
        (
            "version = \n",
            "r.toml:1:11: this is not TOML: string values must be quoted, expected literal string",
        ),
        (
            "[[route]]\nname = thumbs\n",
            "r.toml:2:8: this is not TOML: a text stands here without quotes; write \"thumbs\"",
        ),
        (
            "[[route.step]]\nexec = { command = [\"cp\", from-here] }\n",
            "r.toml:2:27: this is not TOML: a text stands here without quotes; write \"from-here\"",
        ),
        (
            "[store]\nurl = \"memory://x\n",
            "r.toml:2:18: this is not TOML: invalid basic string, expected `\"`",
        ),
    ]);
    let deep = format!("x = {}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(errors(&deep).len(), 1, "nesting ends with an error");
}

#[test]
fn unknown_keys_name_the_nearest_one() {
    check(&[
        (
            "[worker]\nconcurency = 3\n",
            "r.toml:2:1: [worker] has no key \"concurency\"; did you mean \"concurrency\"?",
        ),
        (
            "[worker]\nzzz = 3\n",
            "r.toml:2:1: [worker] has no key \"zzz\"; its keys are concurrency, drain",
        ),
        (
            "[queue.order.batches]\nexpires = '1d'\n",
            "r.toml:1:14: the settings of a queue has no key \"batches\"; a queue name with dots needs quotes: [queue.\"order.batches\"]",
        ),
        (
            "[worker]\nconcurrency = 3\nversion = 1\n",
            "r.toml:3:1: [worker] has no key \"version\"; \"version\" belongs to the top of the file",
        ),
    ]);
    check_steps(&[
        (
            &format!("{STEP}concurrency = 8\n"),
            "r.toml:6:1: a step has no key \"concurrency\"; \"concurrency\" belongs to the route: write it above the first [[route.step]] of its [[route]]",
        ),
        (
            "[[route.step]]\nexce = { command = ['true'] }\n",
            "r.toml:5:1: a step has no key \"exce\"; did you mean \"exec\"?",
        ),
        (
            "[[route.step]]\nexec = { comand = ['true'], command = ['true'] }\n",
            "r.toml:5:10: an exec step has no key \"comand\"; did you mean \"command\"?",
        ),
    ]);
}

#[test]
fn keys_of_later_versions_are_refused_and_never_ignored() {
    let from = [
        "every = '10s'",
        "cron = '0 2 * * *'",
        "http = '/orders'",
        "exec = ['list']",
        "topic = 'prices'",
    ];
    for key in from {
        let (name, _) = key.split_once(' ').unwrap();
        let text = format!("[[route]]\nname = 'a'\nfrom = {{ {key} }}\n{STEP}");
        let expected = format!("r.toml:3:10: the key \"{name}\" of from is not supported yet");
        assert_eq!(errors(&text), [expected]);
    }
    for key in [
        "startup_order = 10",
        "exclusive = false",
        "poll = { interval = '1s' }",
        "transacted = true",
    ] {
        let (name, _) = key.split_once(' ').unwrap();
        let expected = format!("r.toml:4:1: the key \"{name}\" of a route is not supported yet");
        assert_eq!(errors(&format!("{ROUTE}{key}\n{STEP}")), [expected]);
    }
    for name in ["balance", "call"] {
        let text = format!("{ROUTE}[[route.step]]\n{name} = {{ x = 1 }}\n");
        let expected = format!("r.toml:5:1: the key \"{name}\" of a step is not supported yet");
        assert!(errors(&text).contains(&expected), "{:?}", errors(&text));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: one row for each mistake")]
fn values_out_of_range_are_refused_in_words() {
    check(&[
        (
            "version = 2\n",
            "r.toml:1:11: version: 2 is out of range, only 1 is known",
        ),
        (
            "[worker]\ndrain = '5'\n",
            "r.toml:2:9: drain: \"5\" has no unit; write 5s or 5ms",
        ),
        (
            "[worker]\ndrain = 5\n",
            "r.toml:2:9: drain is a span of time in quotes, such as \"30s\", found integer; add the unit and quotes",
        ),
        (
            "[worker]\ndrain = '-5s'\n",
            "r.toml:2:9: drain: \"-5s\" is negative",
        ),
        (
            "[worker]\ndrain = '1000h'\n",
            "r.toml:2:9: drain: 1000h is out of range, 0s to 12h is allowed",
        ),
        (
            "[worker]\ndrain = '1e999s'\n",
            "r.toml:2:9: drain: \"1e999s\" is not a span of time; write it like 500ms, 30s, 10m or 1d",
        ),
        (
            "[worker]\nconcurrency = 0\n",
            "r.toml:2:15: concurrency: 0 is out of range, 1 to 100000 is allowed",
        ),
        (
            "[worker]\nconcurrency = -1\n",
            "r.toml:2:15: concurrency: -1 is out of range, 1 to 100000 is allowed",
        ),
        (
            "[worker]\nconcurrency = 4.5\n",
            "r.toml:2:15: concurrency is a whole number, found float",
        ),
        (
            "[worker]\nconcurrency = 'four'\n",
            "r.toml:2:15: concurrency is a whole number, found string",
        ),
        (
            "[worker]\nconcurrency = 99999999999999999999\n",
            "r.toml:2:15: \"99999999999999999999\" is too great a number",
        ),
        (
            "[policy]\nredeliveries = -1\n",
            "r.toml:2:16: redeliveries: -1 is out of range, 0 to 1000000 is allowed",
        ),
        (
            "[policy]\nmultiplier = 0.5\n",
            "r.toml:2:14: multiplier: 0.5 is out of range, 1 to 1000 is allowed",
        ),
        (
            "[policy]\nmultiplier = nan\n",
            "r.toml:2:14: multiplier: NaN is out of range, 1 to 1000 is allowed",
        ),
        (
            "[policy]\njitter = 'ful'\n",
            "r.toml:2:10: jitter: \"ful\" is not one of \"full\"; did you mean \"full\"?",
        ),
        (
            "[policy]\njitter = 1.5\n",
            "r.toml:2:10: jitter: 1.5 is out of range, 0 to 1 is allowed",
        ),
        (
            "[policy]\ndelays = { 5 = '1m', 1 = '1s' }\n",
            "r.toml:2:10: delays: retry 1 is out of order; list them ascending",
        ),
        (
            "[policy]\ndelays = { 0 = '1m' }\n",
            "r.toml:2:10: delays: retries are counted from 1",
        ),
        (
            "[policy]\ndelays = { x = '1m' }\n",
            "r.toml:2:12: delays: \"x\" is not the number of a retry",
        ),
        (
            "[policy]\ndelay = '1s'\ndelays = { 1 = '1m' }\n",
            "r.toml:2:9: delay has no effect beside delays, which replaces it",
        ),
        (
            "[queue.q]\nbody_max = '64 kilos'\n",
            "r.toml:2:12: body_max: \"64 kilos\" is not a size; write it like 65536, 64KiB or 1MB",
        ),
        (
            "[queue.q]\nbody_max = '1000MiB'\n",
            "r.toml:2:12: body_max: 1048576000 bytes is out of range, 1 to 16777216 is allowed",
        ),
        (
            "[queue.q]\ndepth_max = 0\n",
            "r.toml:2:13: depth_max: 0 is out of range, at least 1 is allowed",
        ),
        (
            "[queue.q]\non_group_dead = 'stop'\n",
            "r.toml:2:17: on_group_dead: \"stop\" is not one of \"continue\", \"park\"",
        ),
        (
            "[queue.'a b']\nexpires = '1d'\n",
            "r.toml:1:8: queue name \"a b\" is not valid: ' ' is not allowed; use letters, digits, _ . : -",
        ),
        (
            "route = 5\n",
            "r.toml:1:9: route is a list of tables, found integer",
        ),
        (
            "[route]\nname = 'a'\n",
            "r.toml:1:1: route is a list of tables, found table; write [[route]] with two brackets",
        ),
        ("[store]\n", "r.toml:1:1: a store needs the key \"url\""),
    ]);
}

#[test]
fn variables_must_be_set() {
    check(&[
        (
            "[store]\nurl = '${UNSET}'\n",
            "r.toml:2:7: the variable UNSET is not set; set it, or give a default: ${UNSET:-…}",
        ),
        (
            "[store]\nurl = 'memory://${'\n",
            "r.toml:2:7: a variable begins with ${ and has no }; write $${ for a literal ${",
        ),
    ]);
    let sound = format!("[store]\nurl = 'memory://${{SET}}'\n{ROUTE}{STEP}");
    assert_eq!(errors(&sound), [""; 0]);
}

#[test]
fn a_wrong_store_url_never_shows_its_password() {
    let found = errors("[store]\nurl = 'redis://user:hunter2@host:99999/0'\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("r.toml:2:7: url: "), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn routes_must_be_whole_and_apart() {
    check(&[
        (
            "[[route]]\nfrom = { queue = 'q' }\n[[route.step]]\nlog = { message = 'x' }\n",
            "r.toml:1:1: a route needs the key \"name\"",
        ),
        (
            "[[route]]\nname = 'a'\n[[route.step]]\nlog = { message = 'x' }\n",
            "r.toml:1:1: a route needs the key \"from\"",
        ),
        (
            ROUTE,
            "r.toml:1:1: the route a has no step; add a [[route.step]]",
        ),
        (
            &format!("[[route]]\nname = 'a'\nfrom = {{}}\n{STEP}"),
            "r.toml:3:8: from says nothing of where messages come from; it needs one of queue, file, lines",
        ),
        (
            &format!("[[route]]\nname = 'a'\nfrom = {{ queue = 'q', lines = 'x' }}\n{STEP}"),
            "r.toml:3:23: a route has one source, here are queue and lines",
        ),
        (
            &format!("[[route]]\nname = 'a'\nfrom = {{ lines = 'x', kind = 'k' }}\n{STEP}"),
            "r.toml:3:23: kind has no meaning beside lines; write as_kind for the kind of what is read",
        ),
        (
            &format!("[[route]]\nname = 'a'\nfrom = {{ lines = 'x', after = 'delete' }}\n{STEP}"),
            "r.toml:3:23: after has no meaning beside lines",
        ),
        (
            &format!("[[route]]\nname = 'a'\nfrom = {{ lines = 'in/***' }}\n{STEP}"),
            "r.toml:3:18: lines is no pattern: wildcards are either regular `*` or recursive `**`",
        ),
        (
            &format!("{ROUTE}{STEP}[[route]]\nname = 'a'\nfrom = {{ queue = 'p' }}\n{STEP}"),
            "r.toml:7:8: there are two routes of the name \"a\", the other one at r.toml:2",
        ),
        (
            &format!("{ROUTE}{STEP}[[route]]\nname = 'b'\nfrom = {{ queue = 'q' }}\n{STEP}"),
            "r.toml:8:8: two routes take the queue q, the other one is a at r.toml:2",
        ),
        (
            &format!(
                "{ROUTE}lease = '30s'\n{STEP}[[route]]\nname = 'b'\nfrom = {{ queue = 'q', kind = 'k' }}\nlease = '60s'\n{STEP}"
            ),
            "r.toml:10:1: routes on one queue share one intake, so lease must be the same as in a at r.toml:2",
        ),
        (
            &format!("{ROUTE}policy = 'patient'\n{STEP}[policies.patent]\nredeliveries = 1\n"),
            "r.toml:4:10: there is no policy \"patient\"; did you mean \"patent\"?",
        ),
        (
            &format!("[[route]]\nname = 'a b'\nfrom = {{ queue = 'q' }}\n{STEP}"),
            "r.toml:2:8: name: route name \"a b\" is not valid: ' ' is not allowed; use letters, digits, _ . : -",
        ),
    ]);
}

#[test]
fn several_mistakes_are_told_at_once_in_their_order() {
    let found = errors("version = 2\n[worker]\ndrain = '5'\nx = 1\n");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("r.toml:1:11:") && found[2].starts_with("r.toml:4:1:"));
}

#[test]
fn of_several_files_one_has_the_tables() {
    let both = [
        ("a.toml", &b"[policy]\nredeliveries = 1\n"[..]),
        ("b.toml", &b"\n[worker]\ndrain = '1s'\n"[..]),
    ];
    let found = errors_of(&both);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("b.toml:2:2: \"worker\" stands here, but "),
        "{found:?}"
    );
    assert!(
        found[0].ends_with("of several files only one may have them"),
        "{found:?}"
    );
}

#[test]
fn files_that_cannot_be_read_are_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let text = |path: PathBuf| {
        let errors = load(&[path], &env).unwrap_err();
        let prefix = format!("{}/", folder.path().display());
        errors[0].to_string().replace(&prefix, "")
    };
    assert_eq!(
        text(folder.path().join("none")),
        "none: cannot be read: no such file or directory"
    );
    let inner = folder.path().join("dir");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(text(inner), "dir: is a directory, not a route file");
    assert_eq!(
        errors_of(&[("r.toml", b"a = '\xff'\n")]),
        ["r.toml: is not UTF-8: the first bad byte is in line 1"]
    );
    let large = vec![b'#'; 1024 * 1024 + 1];
    assert_eq!(
        errors_of(&[("r.toml", &large)]),
        ["r.toml: is greater than 1 MiB; split it into several files"]
    );
}

#[test]
fn input_is_echoed_escaped_and_cut() {
    let text = format!("[worker]\n\"{}\\u001b[31m\" = 1\n", "x".repeat(200));
    let found = errors(&text);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].len() < 250 && !found[0].contains('\u{1b}'),
        "{found:?}"
    );
}

#[test]
fn a_file_full_of_queues_is_read_in_time() {
    // Looking at each pair of them would take hours.
    let queues = (0..30_000).map(|n| {
        format!(
            "[queue.q{n}]
depth_max = 1
"
        )
    });
    let text = queues.collect::<Vec<_>>().concat();
    assert!(text.len() <= 1024 * 1024);
    assert_eq!(errors(&text), [""; 0]);
}
