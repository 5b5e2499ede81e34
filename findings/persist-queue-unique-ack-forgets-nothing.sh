#!/usr/bin/env bash
# persist-queue 1.1.0 (PyPI), `UniqueAckQ`: a queue in a SQLite file that holds each item once and
# wants an acknowledgement.
#
# Expected: an item that was taken and acknowledged is done; the same value put later is new work.
# Behaviour: the row of an acknowledged item stays, and the unique index is over all rows. `put` of the
#   same value stores nothing, raises nothing and answers None instead of a number; so does one of a
#   value that was given up with `ack_failed`. It goes on like that after the file is opened again, until
#   `clear_acked_data` has removed the old row.
# Seen: "acked: put again answers None, size 0", "failed: put again answers None, size 0",
#   "opened again: put answers None, size 0", "cleared: put answers 2, size 1".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check persist-queue==1.1.0
cd "$work"
"$work/v/bin/python" - <<'P'
from persistqueue import UniqueAckQ


def tell(what, queue, answer):
    print(f"{what} answers {answer}, size {queue.size}")
    return answer, queue.size


seen = []
queue = UniqueAckQ("acked", auto_commit=True)
assert queue.put("report of monday") == 1
queue.ack(queue.get())
seen.append(tell("acked: put again", queue, queue.put("report of monday")))

failed = UniqueAckQ("failed", auto_commit=True)
failed.put("report of monday")
failed.ack_failed(failed.get())
seen.append(tell("failed: put again", failed, failed.put("report of monday")))

again = UniqueAckQ("acked", auto_commit=True)
seen.append(tell("opened again: put", again, again.put("report of monday")))

again.clear_acked_data(max_delete=10, keep_latest=0)
seen.append(tell("cleared: put", again, again.put("report of monday")))
assert seen == [(None, 0), (None, 0), (None, 0), (2, 1)], seen
P
