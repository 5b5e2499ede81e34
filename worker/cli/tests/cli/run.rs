//! `run`: to idle, until a signal, with the admin port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::json;

use super::stage::{Ended, Stage, finish, send, until};

/// A route whose program does what the body says.
const ROUTES: &str = r#"
version = 1

[policy]
redeliveries = 1
delay = "10ms"

[[route]]
name = "work"
from = { queue = "in" }
concurrency = 4
[[route.step]]
exec = { command = ["./work"], stdin = "body" }
"#;

const WORK: &str = "#!/bin/sh
read word
case $word in
ok) exit 0 ;;
bad) echo 'never' >&2; exit 65 ;;
again) exit 75 ;;
slow) echo started >> started; sleep 1 ;;
esac
";

fn stage() -> Stage {
    let stage = Stage::new();
    stage.write("routes.toml", ROUTES);
    let program = stage.write("work", WORK);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(program, mode).unwrap();
    stage
}

#[test]
fn until_idle_ends_and_counts() {
    let stage = stage();
    for body in ["ok", "ok", "bad", "again"] {
        stage.enqueue(&["in", body]);
    }
    let ended = stage.run(&["run", "routes.toml", "--until-idle", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut summary = ended.json();
    assert!(summary["seconds"].as_f64().unwrap() < 60.0);
    summary["seconds"] = json!(0);
    assert_eq!(
        summary,
        json!({ "acked": 2, "retried": 1, "dead": 2, "seconds": 0 })
    );
    let errors = ended
        .stderr
        .lines()
        .filter(|line| line.contains("ERROR"))
        .count();
    assert_eq!(errors, 2, "one line for each dead letter: {}", ended.stderr);
}

#[test]
fn the_summary_names_what_to_try_next() {
    let stage = stage();
    stage.enqueue(&["in", "bad"]);
    let ended = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert!(
        ended.text().starts_with("0 acked, 0 retried, 1 dead in "),
        "{}",
        ended.text()
    );
    assert!(
        ended
            .stderr
            .contains("longshore dead list in --group-by error"),
        "{}",
        ended.stderr
    );
    let elsewhere = [
        "run",
        "routes.toml",
        "--until-idle",
        "--store",
        "sqlite://./other.db",
    ];
    let ended = stage.run(&elsewhere);
    assert!(
        ended
            .stderr
            .contains("--store 'sqlite://./other.db' queues"),
        "{}",
        ended.stderr
    );
}

/// What a vanished worker had does not keep a run waiting that could never receive it.
#[test]
fn a_paused_queue_with_an_ended_lease_ends_until_idle_with_4() {
    let stage = stage();
    stage.enqueue(&["in", "ok"]);
    stage.json(&["receive", "in", "--lease", "1s", "--json"]);
    stage.run(&["pause", "--create", "in"]);
    let ended = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("paused"), "{}", ended.stderr);
}

#[test]
fn every_queue_with_dead_letters_is_named() {
    let stage = stage();
    let second = ROUTES
        .replace("\"work\"", "\"more\"")
        .replace("\"in\"", "\"in2\"");
    let (_, second) = second.split_once("[[route]]").unwrap();
    stage.write("routes.toml", format!("{ROUTES}\n[[route]]{second}"));
    for queue in ["in", "in2", "in2"] {
        stage.enqueue(&[queue, "bad"]);
    }
    let ended = stage.run(&["run", "routes.toml", "--until-idle"]);
    let hints: Vec<_> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("longshore dead"))
        .collect();
    assert_eq!(hints.len(), 4, "{}", ended.stderr);
    assert!(
        hints[0].contains("dead list in2 ") && hints[1].contains("dead list in "),
        "{hints:?}"
    );
}

#[test]
fn what_log_steps_say_is_shown_and_trouble_with_input_is_told_once() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "[[route]]\nname = 'a'\nfrom = { queue = 'in' }\n\
         [[route.step]]\nlog = { message = 'saw {{ body }}' }\n\
         [[route.step]]\nlog = { message = 'hidden', level = 'debug' }\n\
         [[route]]\nname = 'b'\nfrom = { lines = 'missing.txt' }\n\
         [[route.step]]\nlog = { message = 'x' }\n",
    );
    stage.enqueue(&["in", "it"]);
    let ended = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("saw it"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
    assert_eq!(
        ended.stderr.matches("missing.txt").count(),
        1,
        "{}",
        ended.stderr
    );
    stage.enqueue(&["in", "it"]);
    let ended = stage.run(&["run", "routes.toml", "--until-idle", "-q"]);
    assert!(!ended.stderr.contains("saw it"), "{}", ended.stderr);
}

#[test]
fn workers_shows_what_runs_while_it_runs() {
    let stage = stage();
    stage.write(
        "work",
        "#!/bin/sh\ntouch started\nwhile [ ! -e go ]; do sleep 0.05; done\n",
    );
    stage.enqueue(&["in", "x"]);
    let running = stage.start(&["run", "routes.toml", "--until-idle", "-q"]);
    until("the job runs", || stage.path("started").exists());
    until("its job is listed", || {
        let listed = stage.json(&["workers", "--json"]);
        listed[0]["jobs"]
            .as_array()
            .is_some_and(|jobs| jobs.len() == 1)
    });
    assert_eq!(stage.json(&["workers", "--json"])[0]["slots"], 4);
    let table = stage.run(&["workers"]).text().to_owned();
    assert!(table.contains("SEEN") && table.contains(" ago"), "{table}");
    stage.write("go", "");
    let ended = finish(running, b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_paused_queue_ends_until_idle_with_4() {
    let stage = stage();
    stage.enqueue(&["in", "ok"]);
    stage.run(&["pause", "--create", "in"]);
    let ended = stage.run(&["run", "routes.toml", "--until-idle", "--json"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("paused"), "{}", ended.stderr);
}

#[test]
fn the_store_of_the_file_is_used_and_an_option_wins() {
    let stage = stage();
    let with_store = ROUTES.replace(
        "version = 1\n",
        "version = 1\n[store]\nurl = \"${PLACE:-sqlite://./file.db}\"\n",
    );
    stage.write("routes.toml", with_store);
    assert_eq!(
        stage.run(&["run", "routes.toml", "--until-idle"]).code,
        Some(0)
    );
    assert!(stage.path("file.db").exists() && !stage.path("longshore.db").exists());
    let other = [
        "run",
        "routes.toml",
        "--until-idle",
        "--store",
        "sqlite://./option.db",
    ];
    assert_eq!(stage.run(&other).code, Some(0));
    assert!(stage.path("option.db").exists());
}

#[test]
fn a_busy_or_bad_admin_address_is_refused_before_anything_runs() {
    let stage = stage();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    stage
        .run(&["run", "routes.toml", "--admin", &address])
        .refused(78, &address);
    stage
        .run(&["run", "routes.toml", "--admin", "nowhere"])
        .refused(2, "127.0.0.1:9464");
    assert!(!stage.path("longshore.db").exists());
}

/// A free port of loopback.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Status line and body of a GET; `None` where nobody listens.
fn get(port: u16, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.lines().next()?.to_owned(), body.to_owned()))
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn the_admin_port_serves_metrics_and_health_and_says_when_it_drains() {
    let stage = stage();
    let port = free_port();
    let child = stage.start(&["run", "routes.toml", "--admin", &port.to_string()]);
    until("ready", || {
        get(port, "/readyz").is_some_and(|(status, _)| status.contains("200"))
    });
    assert!(get(port, "/livez").unwrap().0.contains("200"));
    assert!(get(port, "/nothing").unwrap().0.contains("404"));
    stage.enqueue(&["in", "ok"]);
    until("the ack is counted", || {
        let (_, text) = get(port, "/metrics").unwrap();
        assert!(text.contains("# HELP longshore_slots "), "{text}");
        text.lines().any(|line| {
            line.starts_with("longshore_settled_messages_total")
                && line.contains("outcome=\"acked\"")
                && line.ends_with(" 1")
        })
    });
    let (_, text) = get(port, "/metrics").unwrap();
    assert!(text.contains("longshore_build_info"), "{text}");
    stage.enqueue(&["in", "slow"]);
    until("the slow job runs", || stage.path("started").exists());
    signal(&child, rustix::process::Signal::TERM);
    until("not ready while draining", || {
        get(port, "/readyz").is_none_or(|(status, _)| status.contains("503"))
    });
    let ended = finish(child, b"");
    assert_eq!(
        ended.code,
        Some(0),
        "a drain to its end is no failure: {}",
        ended.stderr
    );
    let numbers = stage.queue("in");
    assert_eq!(
        (&numbers["waiting"], &numbers["leased"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn the_second_signal_ends_it_now() {
    let stage = stage();
    stage.enqueue(&["in", "slow"]);
    let slow = WORK.replace("sleep 1", "sleep 60");
    stage.write("work", slow);
    let mut child = stage.start(&["run", "routes.toml"]);
    let began = Instant::now();
    until("the slow job runs", || stage.path("started").exists());
    signal(&child, rustix::process::Signal::INT);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("draining: running jobs end") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0);
    }
    signal(&child, rustix::process::Signal::INT);
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(Ended::of(output).code, Some(130));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn only_the_named_routes_run() {
    let stage = stage();
    let two = format!(
        "{ROUTES}\n[[route]]\nname = \"other\"\nfrom = {{ queue = \"elsewhere\" }}\n\
         [[route.step]]\nexec = {{ command = [\"./work\"], stdin = \"body\" }}\n"
    );
    stage.write("routes.toml", two);
    stage.enqueue(&["in", "ok"]);
    stage.enqueue(&["elsewhere", "ok"]);
    let args = [
        "run",
        "routes.toml",
        "--route",
        "other",
        "--until-idle",
        "--json",
    ];
    assert_eq!(stage.json(&args)["acked"], 1);
    assert_eq!(stage.queue("in")["waiting"], 1);
}

#[test]
fn the_supervisor_is_told() {
    let stage = stage();
    let socket = std::os::unix::net::UnixDatagram::bind(stage.path("notify")).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut child = stage
        .command()
        .args(["run", "routes.toml"])
        .env("NOTIFY_SOCKET", stage.path("notify"))
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let told = |word: &str| {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(text.contains(word), "{text}");
    };
    told("READY=1");
    signal(&child, rustix::process::Signal::TERM);
    told("STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_file_whose_name_is_no_utf8_is_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let stage = Stage::new();
    std::fs::create_dir(stage.path("inbox")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"r\xe9sum\xe9.pdf");
    std::fs::write(stage.path("inbox").join(name), "x").unwrap();
    stage.write("inbox/plain.pdf", "y");
    stage.write(
        "routes.toml",
        "[[route]]\nname = 'r'\nfrom = { file = 'inbox/*.pdf' }\n[[route.step]]\nlog = { message = 'x' }\n",
    );
    let ended = stage.run(&["run", "routes.toml", "--until-idle"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let named = r"r\xe9sum\xe9.pdf is no UTF-8";
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
    assert!(ended.text().starts_with("1 acked"), "{}", ended.text());
}

#[test]
fn a_finite_run_says_what_it_waits_for() {
    let stage = stage();
    stage.enqueue(&["in", "ok", "--delay", "30d"]);
    let mut child = stage.start(&["run", "routes.toml", "--until-idle"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.find(|line| line.as_ref().unwrap().contains("delayed messages"));
    assert!(said.unwrap().unwrap().contains("first_due"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_job_that_ignores_term_is_dead_before_its_message_is_given_back() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "[worker]\ndrain = '100ms'\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n[[route.step]]\n\
         exec = { command = ['sh', '-c', \"trap '' TERM; while :; do sleep 0.1; echo x >> ticks; done\"] }\n",
    );
    stage.enqueue(&["q", "x"]);
    let child = stage.start(&["run", "routes.toml"]);
    until("it ticks", || stage.path("ticks").exists());
    send(&child, rustix::process::Signal::TERM);
    let ended = finish(child, b"");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("given back"), "{}", ended.stderr);
    let ticks = std::fs::metadata(stage.path("ticks")).unwrap().len();
    assert_eq!(stage.queue("q")["waiting"], 1);
    assert_eq!(std::fs::metadata(stage.path("ticks")).unwrap().len(), ticks);
}

#[test]
fn half_requests_take_neither_descriptors_nor_probes() {
    let stage = stage();
    let port = free_port();
    let child = stage.start(&["run", "routes.toml", "--admin", &port.to_string()]);
    until("ready", || {
        get(port, "/readyz").is_some_and(|(status, _)| status.contains("200"))
    });
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let half: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-A: ")
                .unwrap();
            stream
        })
        .collect();
    assert!(get(port, "/livez").unwrap().0.contains("200"));
    for mut stream in half {
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        // Ended with or without a word, but ended.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    send(&child, rustix::process::Signal::TERM);
    assert_eq!(finish(child, b"").code, Some(0));
}

#[test]
fn what_the_host_is_short_of_is_not_charged() {
    let stage = Stage::new();
    stage.write(
        "routes.toml",
        "[policy]\nredeliveries = 0\n[[route]]\nname = 'r'\nfrom = { queue = 'q' }\n[[route.step]]\n\
         file = { path = '/dev/full' }\n",
    );
    let id = stage.enqueue(&["q", "x"]);
    let mut child = stage.start(&["run", "routes.toml"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.find(|line| line.as_ref().unwrap().contains("short of"));
    assert!(said.unwrap().unwrap().contains("disk space"));
    until("it is put back", || stage.queue("q")["leased"] == 0);
    let shown = stage.json(&["show", "q", &id, "--json"]);
    assert_eq!(
        (&shown["attempts"], &shown["state"]),
        (&json!(0), &json!("delayed"))
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_worker_says_what_it_did_and_each_retry() {
    let stage = stage();
    for body in ["ok", "again"] {
        stage.enqueue(&["in", body]);
    }
    let mut child = stage.start(&["run", "routes.toml", "--summary", "1s"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = |part: &str| lines.any(|line| line.unwrap().contains(part));
    assert!(said("attempt failed; trying again"));
    assert!(said("so far acked="), "the summary");
    child.kill().unwrap();
    child.wait().unwrap();
}
