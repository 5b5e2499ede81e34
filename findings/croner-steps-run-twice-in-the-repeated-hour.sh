#!/usr/bin/env bash
# croner 11.0.1, cron-parser 5.10.6 and cron 4.4.0 (npm) at the two clock changes of a year.
#
# Expected: in the hour that comes twice all of them run alike: once for each time of the clock. In the
#   hour that is left out a task of 02:30 runs an hour late, at 03:30.
# Behaviour: croner runs `30 1` once and `*/30 1` in both passes, since it tells fixed times from steps;
#   the other two run steps in the first pass only, so that tasks of every half hour pause for 90 minutes.
#   In spring croner and cron run a task of 02:30 at 03:00, the moment of the change, and cron-parser at
#   03:30.
# Seen: "steps: croner 4, cron-parser 2, cron 2", "fixed: croner 1, cron-parser 1, cron 1" and
#   "spring: croner 07:00Z, cron-parser 07:30Z, cron 07:00Z".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund croner@11.0.1 cron-parser@5.10.6 cron@4.4.0 luxon@3 >/dev/null
cat > ask.mjs <<'J'
import assert from "node:assert/strict";
import { CronTime } from "cron";
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";
import { DateTime } from "luxon";

const zone = "America/New_York";
const next = {
  croner: (line, from) => new Cron(line, { timezone: zone }).nextRuns(8, from),
  "cron-parser": (line, from) => {
    const dates = CronExpressionParser.parse(line, { currentDate: from, tz: zone });
    return Array.from({ length: 8 }, () => dates.next().toDate());
  },
  cron: (line, from) => {
    const time = new CronTime(line, zone);
    let at = DateTime.fromJSDate(from, { zone });
    return Array.from({ length: 8 }, () => (at = time.getNextDateFrom(at, zone)).toJSDate());
  },
};
const answers = (what) => Object.entries(next).map(([name, dates]) => [name, what(dates)]);
const told = (pairs) => pairs.map(([name, answer]) => `${name} ${answer}`).join(", ");

const autumn = new Date("2026-11-01T04:00:00Z");
const over = new Date("2026-11-02T04:00:00Z");
const runs = (line) => answers((dates) => dates(line, autumn).filter((at) => at < over).length);
const steps = runs("*/30 1 * * *");
const fixed = runs("30 1 * * *");
const spring = answers((dates) => {
  const first = dates("30 2 * * *", new Date("2026-03-07T12:00:00Z"))[0];
  return `${first.toISOString().slice(11, 16)}Z`;
});
console.log(`steps: ${told(steps)}`);
console.log(`fixed: ${told(fixed)}`);
console.log(`spring: ${told(spring)}`);
assert.deepEqual(steps.map(([, runs]) => runs), [4, 2, 2]);
assert.deepEqual(fixed.map(([, runs]) => runs), [1, 1, 1]);
assert.deepEqual(spring.map(([, at]) => at), ["07:00Z", "07:30Z", "07:00Z"]);
J
node ask.mjs
