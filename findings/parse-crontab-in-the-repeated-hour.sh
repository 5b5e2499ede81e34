#!/usr/bin/env bash
# crontab 1.0.5 (PyPI, "parse-crontab"), `CronTab.next()` with an aware datetime, in the hour that a
# clock change repeats. The queue streaq 7.2.0 plans its cron tasks with exactly this call.
#
# Expected: the next instant after `now`; of a pattern that fires every 20 minutes never more than 20
#   minutes away.
# Behaviour: it counts on the wall clock and drops the fold. The last firing of the first pass is
#   followed by the first one behind the second pass: every interval pattern pauses for an hour. Asked
#   within the second pass it answers an instant in the past.
# Seen: "first pass, 02:40+02:00: next in 80 min" and "second pass, 02:30+01:00: next in -50 min";
#   cronsim 2.8 on the same questions: 20 and 10.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check crontab==1.0.5 cronsim==2.8 tzdata==2026.2
"$work/v/bin/python" - <<'P'
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim
from crontab import CronTab

berlin = ZoneInfo("Europe/Berlin")
pattern = "*/20 * * * *"
first = datetime(2026, 10, 25, 2, 40, tzinfo=berlin, fold=0)
second = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)


def minutes(now, then):
    return round((then.timestamp() - now.timestamp()) / 60)


def of_crontab(now):
    return minutes(now, CronTab(pattern).next(now=now, return_datetime=True))


def of_cronsim(now):
    return minutes(now, next(CronSim(pattern, now)))


print(f"first pass, 02:40+02:00: next in {of_crontab(first)} min, cronsim {of_cronsim(first)}")
print(f"second pass, 02:30+01:00: next in {of_crontab(second)} min, cronsim {of_cronsim(second)}")
assert (of_crontab(first), of_crontab(second)) == (80, -50)
assert (of_cronsim(first), of_cronsim(second)) == (20, 10)
P
