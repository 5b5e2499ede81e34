#!/usr/bin/env bash
# litequeue 0.9 (PyPI), a queue in a SQLite file: `maxsize` when the file is opened again.
#
# Expected: the bound is that of the handle, as its attribute `maxsize` says.
# Behaviour: the first opening writes a trigger into the file. Every later handle is held to that bound,
#   whatever it asks for, one without a bound included, and says that it has the one that it asked for.
# Seen: "made with 2: 2 fit", "opened with None: maxsize None, 2 fit" and
#   "opened with 5: maxsize 5, 2 fit".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check litequeue==0.9
cd "$work"
"$work/v/bin/python" - <<'P'
from litequeue import LiteQueue


def fit(queue):
    for number in range(10):
        try:
            queue.put("x")
        except Exception as error:
            assert "Max queue length reached" in str(error)
            return number
    return 10


made = LiteQueue("work.db", maxsize=2)
seen = [fit(made)]
print(f"made with 2: {seen[0]} fit")
for asked in (None, 5):
    queue = LiteQueue("work.db", maxsize=asked)
    while not queue.empty():
        queue.done(queue.pop().message_id)
    assert queue.maxsize == asked
    seen.append(fit(queue))
    print(f"opened with {asked}: maxsize {queue.maxsize}, {seen[-1]} fit")
assert seen == [2, 2, 2], seen
P
