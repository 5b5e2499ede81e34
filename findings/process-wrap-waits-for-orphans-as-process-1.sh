#!/usr/bin/env bash
# process-wrap 10.0.0 (Rust), `ProcessGroup::leader()` on tokio, as process 1 of a PID namespace.
#
# Expected: `wait()` of a wrapped child answers when the child has exited, wherever it runs.
# Behaviour: it answers once no process of the group is left that it can wait for. Elsewhere what the
#   child leaves in the background becomes a child of init, so that is at once. As process 1, the usual
#   case of a container without an init, the orphans become its own children: a child that starts
#   `sleep 3 &` and exits with 0 is waited for for 3 s.
# Seen: "ordinary: 0 s" and "process 1: 3 s".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'T'
[package]
name = "orphans"
version = "0.0.0"
edition = "2024"
[dependencies]
process-wrap = { version = "=10.0.0", default-features = false, features = ["tokio1", "process-group"] }
tokio = { version = "=1.50.0", features = ["rt-multi-thread", "macros", "process", "time"] }
T
cat > src/main.rs <<'T'
use process_wrap::tokio::{CommandWrap, ProcessGroup};
use std::time::Instant;

#[tokio::main]
async fn main() {
    let mut command = CommandWrap::with_new("sh", |command| {
        command.arg("-c").arg("sleep 3 >/dev/null 2>&1 & exit 0");
    });
    command.wrap(ProcessGroup::leader());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    let status = child.wait().await.unwrap();
    assert!(status.success());
    println!("{}", began.elapsed().as_secs());
}
T
cargo build -q 2>build.log || { cat build.log; exit 2; }
ordinary=$(target/debug/orphans)
first=$(unshare --user --map-root-user --pid --fork --mount-proc target/debug/orphans)
echo "ordinary: $ordinary s"
echo "process 1: $first s"
[[ $ordinary == 0 && $first -ge 2 ]]
