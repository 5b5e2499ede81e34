#!/usr/bin/env bash
# saq 0.26.4 with redis 5.3.1 (PyPI), against redis-server: `enqueue` with a `key`.
#
# Expected: a key keeps a second job out while the first waits or runs.
# Behaviour: it does so until the result is forgotten, by default ten minutes after the job is done:
#   `enqueue` answers None, raises nothing, and nothing runs. With `ttl=-1`, which keeps no result, the key
#   is free as soon as the job is done.
# Seen: "while it waits: None", "when it is done: None, runs 1", "without a result: enqueued, runs 2".
set -euo pipefail
command -v redis-server >/dev/null || { apt-get update -q && apt-get install -qy redis-server; } >/dev/null
work=$(mktemp -d)
redis=
finish() {
    [[ -z $redis ]] || kill "$redis" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
redis-server --port 7426 --save '' --dir "$work" >redis.log &
redis=$!
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check 'saq[redis]==0.26.4' redis==5.3.1 \
    typing-extensions==4.15.0
cat > try.py <<'P'
import asyncio

from saq import Queue, Status, Worker

runs = {"kept": 0, "unkept": 0}


async def report(_, *, which):
    runs[which] += 1


async def until(condition):
    while not condition():
        await asyncio.sleep(0.02)


def told(job):
    return "None" if job is None else "enqueued"


async def main():
    queue = Queue.from_url("redis://localhost:7426")
    await queue.connect()
    first = await queue.enqueue("report", key="monday", which="kept")
    waits = told(await queue.enqueue("report", key="monday", which="kept"))
    worker = Worker(queue, functions=[report])
    working = asyncio.create_task(worker.start())
    await first.refresh(until_complete=10)
    assert first.status == Status.COMPLETE
    done = told(await queue.enqueue("report", key="monday", which="kept"))

    second = await queue.enqueue("report", key="tuesday", ttl=-1, which="unkept")
    await until(lambda: runs["unkept"] == 1)
    again = None
    while again is None:
        again = await queue.enqueue("report", key="tuesday", ttl=-1, which="unkept")
    await until(lambda: runs["unkept"] == 2)
    await worker.stop()
    working.cancel()
    print(f"while it waits: {waits}")
    print(f"when it is done: {done}, runs {runs['kept']}")
    print(f"without a result: {told(again)}, runs {runs['unkept']}")
    assert (waits, done, runs) == ("None", "None", {"kept": 1, "unkept": 2})
    assert second is not None


asyncio.run(asyncio.wait_for(main(), 60))
P
v/bin/python try.py
