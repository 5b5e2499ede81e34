#!/usr/bin/env bash
# queuelib 1.10.0 (PyPI, the disk queues of Scrapy): a FifoDiskQueue after a process that did not close it.
#
# Expected: what a process popped may come again, what it pushed may be missing where it was not flushed; what is pushed
#   afterwards, and closed, comes out last.
# Behaviour: how many items there are, and where, is written by close() alone, and pushes go to the end of the file. The
#   items of the process that ended are on the disk but not counted; whoever pushes next gets one of those in the place
#   of its own, and its own never comes out.
# Seen: two items closed; one popped and two large ones pushed by a process that ends; "last" pushed and closed: the queue
#   says 3 and gives "old0 old1 new0", then nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check queuelib==1.10.0
cd "$work"
"$work/v/bin/python" - <<'P'
import subprocess
import sys

from queuelib.queue import FifoDiskQueue

queue = FifoDiskQueue("queue")
for item in (b"old0", b"old1"):
    queue.push(item)
queue.close()
subprocess.run(
    [sys.executable, "-c", """
import os
from queuelib.queue import FifoDiskQueue
queue = FifoDiskQueue("queue")
assert queue.pop() == b"old0"
for item in (b"new0", b"new1"):
    queue.push(item + b"." * 100_000)
os._exit(0)
"""],
    check=True,
)
queue = FifoDiskQueue("queue")
queue.push(b"last")
queue.close()
queue = FifoDiskQueue("queue")
length = len(queue)
items = [queue.pop() for _ in range(length + 1)]
seen = " ".join("nothing" if item is None else item[:4].decode() for item in items)
print(f"{length}: {seen}")
assert (length, seen) == (3, "old0 old1 new0 nothing"), (length, seen)
P
