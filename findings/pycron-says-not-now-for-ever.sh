#!/usr/bin/env bash
# pycron 3.3.0 (PyPI), `is_now`: asked once a minute whether a task is to run.
#
# Expected: `7` is Sunday as in crontab(5), or an error; a line that it cannot read is an error.
# Behaviour: a number out of its range and a word it does not know match no time and raise nothing: the
#   answer is "not now" in each minute of the year. `7` is such a number: a task of every Sunday never
#   runs, and one of `6-7` runs on Saturdays only.
# Seen: runs in 2027 by line: "0 0 * * 7" 0, "0 0 * * 6-7" 52, "0 0 * * 0" 52, "0 24 * * *" 0,
#   "0 0 L * *" 0, "5/15 * * * *" 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check pycron==3.3.0
"$work/v/bin/python" - <<'P'
from datetime import datetime, timedelta

import pycron

wanted = {
    "0 0 * * 7": 0,
    "0 0 * * 6-7": 52,
    "0 0 * * 0": 52,
    "0 24 * * *": 0,
    "0 0 L * *": 0,
    "5/15 * * * *": 0,
}
for line, runs in wanted.items():
    start = datetime(2027, 1, 1)
    minutes = (start + timedelta(minutes=n) for n in range(365 * 24 * 60))
    # Hours other than midnight matter to two of them only.
    if line.startswith("0 0"):
        minutes = (start + timedelta(days=n) for n in range(365))
    seen = sum(pycron.is_now(line, at) for at in minutes)
    print(f'"{line}": {seen} runs in 2027')
    assert seen == runs, (line, seen)
P
