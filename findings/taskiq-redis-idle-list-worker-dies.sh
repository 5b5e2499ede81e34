#!/usr/bin/env bash
# taskiq-redis 1.2.4 (`ListQueueBroker`) with redis 8.1.0 (PyPI), against redis-server.
#
# Expected: a worker with nothing new to fetch goes on with the task it has.
# Behaviour: redis-py 8 has a socket timeout of 5 s where none is asked for, and the broker waits with a
#   BRPOP that never ends. After five seconds without a new task the fetcher raises `TimeoutError`, the
#   process manager replaces the worker, and the task that ran goes down with it. A list has no
#   acknowledgement: nobody runs it again. With `socket_timeout=None` given to the broker it ends.
# Seen: "as it comes: began 1, ended 0, left in the queue 0, workers replaced 2" and
#   "no socket timeout: began 1, ended 1, left in the queue 0, workers replaced 0".
set -euo pipefail
command -v redis-server >/dev/null || { apt-get update -q && apt-get install -qy redis-server; } >/dev/null
work=$(mktemp -d)
redis=
worker=
finish() {
    [[ -z $worker ]] || kill -9 -- "-$worker" 2>/dev/null || true
    [[ -z $redis ]] || kill "$redis" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
port=7423
redis-server --port $port --save '' --dir "$work" >redis.log &
redis=$!
cat > jobs.py <<'P'
import asyncio
import os

from taskiq_redis import ListQueueBroker

options = {"socket_timeout": None} if os.environ["TRY"] == "no socket timeout" else {}
broker = ListQueueBroker("redis://127.0.0.1:7423", queue_name="jobs", **options)


@broker.task
async def job() -> None:
    print("BEGAN", flush=True)
    await asyncio.sleep(12)
    print("ENDED", flush=True)


async def enqueue() -> None:
    await broker.startup()
    await job.kiq()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(enqueue())
P
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check taskiq-redis==1.2.4 taskiq==0.13.0 redis==8.1.0
try() {
    export TRY=$1
    v/bin/python jobs.py
    setsid v/bin/taskiq worker --workers 1 jobs:broker >log 2>&1 &
    worker=$!
    sleep 20
    # Without a socket timeout the BRPOP outlives a TERM.
    kill -9 -- "-$worker"
    wait "$worker" 2>/dev/null || true
    worker=
    began=$(grep -c '^BEGAN' log || true)
    ended=$(grep -c '^ENDED' log || true)
    replaced=$(grep -c 'is dead' log || true)
    left=$(redis-cli -p $port llen jobs)
    echo "$TRY: began $began, ended $ended, left in the queue $left, workers replaced $replaced"
}
try "as it comes"
[[ $began == 1 && $ended == 0 && $left == 0 && $replaced -ge 1 ]]
try "no socket timeout"
[[ $began == 1 && $ended == 1 && $replaced == 0 ]]
