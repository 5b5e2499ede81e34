#!/usr/bin/env bash
# cron-schedule 6.0.0 (npm), `parseCronExpression` on expressions of the longer dialects.
#
# Expected: what it does not know it refuses, as it refuses `L` and ranges that wrap round.
# Behaviour: it reads the leading number of a field and drops the rest. `1#2` (the second Monday) is
#   every Monday, `15W` (the working day nearest to the 15th) is the 15th, and `5/15` (every fifteen
#   minutes from the fifth) is once an hour.
# Seen: "1#2: 14 runs of 14 Mondays", "15W: 2027-05-15 is a Sat", "5/15: 24 runs a day"; croner 11.0.1 has
#   the second Mondays and 2027-05-14, and cron-parser 5.10.6 has 96 runs a day.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund cron-schedule@6.0.0 croner@11.0.1 cron-parser@5.10.6 >/dev/null
export TZ=UTC
cat > ask.mjs <<'J'
import assert from "node:assert/strict";
import { CronExpressionParser } from "cron-parser";
import { parseCronExpression } from "cron-schedule";
import { Cron } from "croner";

const from = new Date("2026-12-31T23:00:00Z");
const day = (date) => date.toISOString().slice(0, 10);

const mondays = parseCronExpression("0 0 * * 1#2").getNextDates(14, from).map(day);
const second = new Cron("0 0 * * 1#2", { timezone: "UTC" }).nextRuns(3, from).map(day);
const all = parseCronExpression("0 0 * * 1").getNextDates(14, from).map(day);
console.log(`1#2: ${mondays.filter((one) => all.includes(one)).length} runs of 14 Mondays; croner ${second}`);
assert.deepEqual(mondays, all);
assert.deepEqual(second, ["2027-01-11", "2027-02-08", "2027-03-08"]);

const may = new Date("2027-05-01T00:00:00Z");
const nearest = parseCronExpression("0 0 15W * *").getNextDate(may);
const working = new Cron("0 0 15W * *", { timezone: "UTC" }).nextRun(may);
const name = nearest.toLocaleDateString("en", { weekday: "short" });
console.log(`15W: ${day(nearest)} is a ${name}; croner ${day(working)}`);
assert.deepEqual([day(nearest), day(working)], ["2027-05-15", "2027-05-14"]);

const count = (next) => {
  let runs = 0;
  const end = new Date("2027-05-02T00:00:00Z");
  for (let at = next(); at < end; at = next()) runs += 1;
  return runs;
};
const fifteen = parseCronExpression("5/15 * * * *").getNextDatesIterator(may);
const known = CronExpressionParser.parse("5/15 * * * *", { currentDate: may, tz: "UTC" });
const runs = [count(() => fifteen.next().value), count(() => known.next().toDate())];
console.log(`5/15: ${runs[0]} runs a day; cron-parser ${runs[1]}`);
assert.deepEqual(runs, [24, 96]);
J
node ask.mjs
