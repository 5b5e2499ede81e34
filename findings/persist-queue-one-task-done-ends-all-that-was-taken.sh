#!/usr/bin/env bash
# persist-queue 1.1.0 (PyPI), `Queue` (files) and `SQLiteQueue(auto_commit=False)`, with two consumers'
# worth of items in hands.
#
# Expected: as in the standard library's `queue.Queue`, one `task_done` is about one item. What was taken
#   and is not done comes back when the process has died.
# Behaviour: `task_done` writes the place up to which items were handed out, whoever has them. Of two
#   items in hands the one that is not done is gone with the process, too.
# Seen: "Queue: taken [0, 1], one done, after the kill: [2, 3]" and the same of SQLiteQueue; without any
#   `task_done` both come back: "none done, after the kill: [0, 1, 2, 3]".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check persist-queue==1.1.0
cd "$work"
cat > consumer.py <<'P'
import os
import signal
import sys

from persistqueue import Queue, SQLiteQueue

kind, done = sys.argv[1], int(sys.argv[2])


def opened():
    path = f"{kind}-{done}"
    return Queue(path) if kind == "Queue" else SQLiteQueue(path, auto_commit=False)


if len(sys.argv) > 3:
    queue, rest = opened(), []
    while queue.qsize():
        rest.append(queue.get())
    print(rest)
    sys.exit()
queue = opened()
for number in range(4):
    queue.put(number)
if kind == "SQLiteQueue":
    queue.task_done()
queue.get()
queue.get()
for _ in range(done):
    queue.task_done()
os.kill(os.getpid(), signal.SIGKILL)
P
for kind in Queue SQLiteQueue; do
    for done in 0 1; do
        "$work/v/bin/python" consumer.py "$kind" "$done" || true
        rest=$("$work/v/bin/python" consumer.py "$kind" "$done" read)
        echo "$kind: taken [0, 1], $done done, after the kill: $rest"
        case $done in
            0) [[ $rest == '[0, 1, 2, 3]' ]] ;;
            1) [[ $rest == '[2, 3]' ]] ;;
        esac
    done
done 2>/dev/null
