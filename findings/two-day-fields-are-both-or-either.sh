#!/usr/bin/env bash
# cron-converter 2.0.2, huey 3.5.4, celery 5.7.0, croniter 7.0.0, cronsim 2.8 and pycron 3.3.0 (PyPI) on
# `0 0 15 * 3`: a day of the month and a day of the week in one line.
#
# Expected: crontab(5): either is enough, so the 15th and each Wednesday; cron-converter, whose business
#   is to read crontab lines, does the same.
# Behaviour: cron-converter, huey and celery want both: a Wednesday that is the 15th, once or twice a year.
#   croniter, cronsim and pycron take either. A line that moves from a crontab to one of the first three
#   runs about a thirtieth as often, and nothing is refused.
# Seen: runs in 2027: cron-converter 2, huey 2, celery 2, croniter 62, cronsim 62, pycron 62.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/v"
"$work/v/bin/pip" install -q --disable-pip-version-check cron-converter==2.0.2 huey==3.5.4 celery==5.7.0 \
    croniter==7.0.0 cronsim==2.8 pycron==3.3.0
"$work/v/bin/python" - <<'P'
from datetime import datetime, timedelta

import huey
import pycron
from celery.schedules import crontab
from cron_converter import Cron
from croniter import croniter
from cronsim import CronSim

line = "0 0 15 * 3"
begin, end = datetime(2026, 12, 31, 12), datetime(2028, 1, 1)
midnights = [datetime(2027, 1, 1) + timedelta(days=n) for n in range(365)]


def until_end(following):
    runs = 0
    while following() < end:
        runs += 1
    return runs


of_huey = huey.crontab(minute="0", hour="0", day="15", day_of_week="3")
of_celery = crontab(minute="0", hour="0", day_of_month="15", day_of_week="3")
converted, iterated, simulated = Cron(line).schedule(begin), croniter(line, begin), CronSim(line, begin)
runs = {
    "cron-converter": until_end(lambda: converted.next().replace(tzinfo=None)),
    "huey": sum(of_huey(at) for at in midnights),
    "celery": sum(
        at.day in of_celery.day_of_month and at.isoweekday() % 7 in of_celery.day_of_week
        for at in midnights
    ),
    "croniter": until_end(lambda: iterated.get_next(datetime)),
    "cronsim": until_end(lambda: next(simulated)),
    "pycron": sum(pycron.is_now(line, at) for at in midnights),
}
print("runs in 2027: " + ", ".join(f"{name} {count}" for name, count in runs.items()))
assert list(runs.values()) == [2, 2, 2, 62, 62, 62], runs
P
