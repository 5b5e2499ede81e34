#!/usr/bin/env bash
# rq 3.0.0 with redis 5.3.1 (PyPI), against redis-server: `enqueue` of two jobs with the same `job_id`
# while the first still waits.
#
# Expected: the second call is refused or ignored; or both jobs run, each with its own arguments.
# Behaviour: the id is put into the queue a second time, and the job's hash is written over. The
#   arguments of the first call are gone, those of the second are run twice. With `unique=True` the second
#   call is refused.
# Seen: "in the queue: ['invoice', 'invoice'], ran with: ['april', 'april']" and
#   "unique: DuplicateJobError, ran with: ['march']".
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
redis-server --port 7424 --save '' --dir "$work" >redis.log &
redis=$!
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check rq==3.0.0 redis==5.3.1
cat > jobs.py <<'P'
from redis import Redis


def invoice(month):
    Redis(port=7424).rpush("ran", month)
P
cat > try.py <<'P'
import jobs
from redis import Redis
from rq import Queue, SimpleWorker

server = Redis(port=7424)
queue = Queue("work", connection=server)


def ran():
    SimpleWorker([queue], connection=server).work(burst=True, logging_level="ERROR")
    return [month.decode() for month in server.lrange("ran", 0, -1)]


queue.enqueue(jobs.invoice, "march", job_id="invoice")
queue.enqueue(jobs.invoice, "april", job_id="invoice")
waiting, done = queue.job_ids, ran()
print(f"in the queue: {waiting}, ran with: {done}")
assert waiting == ["invoice", "invoice"] and done == ["april", "april"]

server.flushall()
queue.enqueue(jobs.invoice, "march", job_id="invoice", unique=True)
try:
    queue.enqueue(jobs.invoice, "april", job_id="invoice", unique=True)
    refusal = "none"
except Exception as error:
    refusal = type(error).__name__
done = ran()
print(f"unique: {refusal}, ran with: {done}")
assert refusal == "DuplicateJobError" and done == ["march"]
P
v/bin/python try.py
