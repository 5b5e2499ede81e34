#!/usr/bin/env bash
# bee-queue 2.0.0 (npm) on Redis 7: a job with `retries(0)` whose handler takes its worker down.
#
# Expected: a job that may not be retried is failed once it stalled, or after some stalls, as a job whose handler throws
#   is failed at the first attempt.
# Behaviour: a stalled job goes back to the waiting ones, and nothing counts how often: retries are those of handlers that
#   throw. It kills each worker that is started for it, and counts of health show it as active, never as failed.
# Seen: five workers, "5 runs, 4 stalls; active 1, failed 0"; the job that throws: "1 runs, 0 stalls; active 0, failed 1".
set -euo pipefail
command -v node >/dev/null || { apt-get update -q && apt-get install -qy nodejs npm; } >/dev/null
command -v redis-server >/dev/null || { apt-get update -q && apt-get install -qy redis-server; } >/dev/null
work=$(mktemp -d)
redis-server --port 7453 --save '' --appendonly no --dir "$work" >/dev/null &
redis=$!
trap 'kill "$redis"; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bee-queue@2.0.0 >/dev/null
cat >bee.js <<'J'
const Queue = require("bee-queue");
const [verb, name] = process.argv.slice(2);
const queue = new Queue(name, { redis: { port: 7453 }, stallInterval: 500, isWorker: verb === "work" });
const say = (line) => require("fs").writeSync(1, line + "\n");
if (verb === "put") {
  queue.createJob({}).retries(0).save().then(() => queue.close());
} else if (verb === "health") {
  queue.checkHealth().then(({ active, failed }) => {
    say(`active ${active}, failed ${failed}`);
    queue.close();
  });
} else {
  queue.on("stalled", () => say("stall"));
  queue.checkStalledJobs(200, () => {});
  queue.process(async () => {
    say("run");
    if (name === "throws") throw new Error("no");
    process.kill(process.pid, "SIGKILL");
  });
  setTimeout(() => process.exit(0), 3000);
}
J
for name in kills throws; do
    node bee.js put "$name"
    for _ in 1 2 3 4 5; do
        { node bee.js work "$name" || true; } 2>/dev/null
        if [[ $name == throws ]]; then break; fi
    done >"$name.out" 2>/dev/null
    printf '%s: %s runs, %s stalls; %s\n' "$name" "$(grep -c run "$name.out" || true)" "$(grep -c stall "$name.out" || true)" \
        "$(node bee.js health "$name")" | tee -a seen
done
diff seen - <<'S'
kills: 5 runs, 4 stalls; active 1, failed 0
throws: 1 runs, 0 stalls; active 0, failed 1
S
