#!/usr/bin/env bash
# beanstalkd 1.12 (Debian 12) with `-b DIR -f 0`, greenstalk 2.1.1 (PyPI): what a job is after the server was
# killed and started again.
#
# Expected: with a binlog that is synced at each write a job comes back as it was last said to be: with the
#   priority that `release` gave it, and with its counters.
# Behaviour: a release without a delay is not written down. The job comes back with the priority of its
#   `put`, never reserved and never released, so that a worker that gives up after so many tries begins to
#   count anew; a release with a delay is kept, with what is left of the delay. A job that was buried once
#   comes back as buried twice.
# Seen: "at once: priority 5, releases 1 -> priority 900, releases 0",
#   "delayed: priority 5, releases 1 -> priority 5, releases 1" and "buries 1 -> 2".
set -euo pipefail
command -v beanstalkd >/dev/null || { apt-get update -q && apt-get install -qy beanstalkd; } >/dev/null
[[ $(beanstalkd -v) == 'beanstalkd 1.12' ]] || { echo "this is about beanstalkd 1.12"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check greenstalk==2.1.1
cd "$work"
mkdir binlog
"$work/v/bin/python" - <<'P'
import subprocess
import time

import greenstalk

ADDRESS = ("127.0.0.1", 7427)


def start():
    server = subprocess.Popen(["beanstalkd", "-b", "binlog", "-f", "0", "-l", ADDRESS[0], "-p", str(ADDRESS[1])])
    for _ in range(100):
        try:
            return server, greenstalk.Client(ADDRESS)
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not answer")


def seen(client, job):
    stats = client.stats_job(job)
    return f"priority {stats['pri']}, releases {stats['releases']}"


server, client = start()
try:
    at_once, delayed, buried = (client.put("x", priority=900) for _ in range(3))
    client.release(client.reserve_job(at_once), priority=5, delay=0)
    client.release(client.reserve_job(delayed), priority=5, delay=60)
    client.bury(client.reserve_job(buried))
    jobs = {"at once": at_once, "delayed": delayed}
    before = {name: seen(client, job) for name, job in jobs.items()}
    buries = [client.stats_job(buried)["buries"]]
    server.kill()
    server.wait()
    server, client = start()
    after = {name: seen(client, job) for name, job in jobs.items()}
    buries.append(client.stats_job(buried)["buries"])
finally:
    server.kill()
    server.wait()
for name in jobs:
    print(f"{name}: {before[name]} -> {after[name]}")
print(f"buries {buries[0]} -> {buries[1]}")
assert before["at once"] == "priority 5, releases 1" and after["at once"] == "priority 900, releases 0"
assert before["delayed"] == after["delayed"] == "priority 5, releases 1"
assert buries == [1, 2]
P
