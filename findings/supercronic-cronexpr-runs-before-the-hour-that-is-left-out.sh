#!/usr/bin/env bash
# The package `cronexpr` of supercronic v0.2.48 (Go) at the two clock changes of a year, beside robfig/cron
# v3.0.1.
#
# Expected: a task of 02:30 on the night that has no 02:30 runs at 03:00 or 03:30, or not at all. In the
#   hour that comes twice a task of every half hour goes on every half hour.
# Behaviour: cronexpr answers 01:30, an hour before, at which the line does not match. In autumn it leaves
#   the second pass of the hour out: half-hourly tasks pause for 90 minutes. robfig/cron leaves the night
#   out in spring and, in autumn, runs a task of 01:30 twice.
# Seen: "spring 30 2: cronexpr 01:30 EST on 03-08, robfig 02:30 EDT on 03-09",
#   "autumn */30: longest pause cronexpr 90m, robfig 30m" and "autumn 30 1: cronexpr 1, robfig 2 runs".
set -euo pipefail
command -v go >/dev/null || { apt-get update -q && apt-get install -qy golang-go; } >/dev/null
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-mod=mod
cat > go.mod <<'M'
module ask

go 1.22

require (
	github.com/aptible/supercronic v0.2.48
	github.com/robfig/cron/v3 v3.0.1
)
M
cat > main.go <<'G'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/aptible/supercronic/cronexpr"
	"github.com/robfig/cron/v3"
)

type next func(line string, after time.Time) time.Time

func ofCronexpr(line string, after time.Time) time.Time {
	return cronexpr.MustParse(line).Next(after)
}

func ofRobfig(line string, after time.Time) time.Time {
	schedule, err := cron.ParseStandard(line)
	if err != nil {
		panic(err)
	}
	return schedule.Next(after)
}

// The runs of a line from one instant to another.
func runs(ask next, line string, from, to time.Time) []time.Time {
	var all []time.Time
	for at := ask(line, from); at.Before(to); at = ask(line, at) {
		all = append(all, at)
	}
	return all
}

func longest(all []time.Time) time.Duration {
	pause := time.Duration(0)
	for i := 1; i < len(all); i++ {
		pause = max(pause, all[i].Sub(all[i-1]))
	}
	return pause
}

func main() {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	evening := time.Date(2026, 3, 7, 20, 0, 0, 0, zone)
	shown := func(at time.Time) string { return at.Format("15:04 MST on 01-02") }
	spring := []string{shown(ofCronexpr("30 2 * * *", evening)), shown(ofRobfig("30 2 * * *", evening))}
	fmt.Printf("spring 30 2: cronexpr %s, robfig %s\n", spring[0], spring[1])

	from := time.Date(2026, 10, 31, 23, 0, 0, 0, zone)
	to := time.Date(2026, 11, 1, 12, 0, 0, 0, zone)
	pauses := []time.Duration{
		longest(runs(ofCronexpr, "*/30 * * * *", from, to)),
		longest(runs(ofRobfig, "*/30 * * * *", from, to)),
	}
	fmt.Printf("autumn */30: longest pause cronexpr %gm, robfig %gm\n", pauses[0].Minutes(), pauses[1].Minutes())
	fixed := []int{len(runs(ofCronexpr, "30 1 * * *", from, to)), len(runs(ofRobfig, "30 1 * * *", from, to))}
	fmt.Printf("autumn 30 1: cronexpr %d, robfig %d runs\n", fixed[0], fixed[1])
	if spring[0] != "01:30 EST on 03-08" || spring[1] != "02:30 EDT on 03-09" ||
		pauses[0] != 90*time.Minute || pauses[1] != 30*time.Minute || fixed[0] != 1 || fixed[1] != 2 {
		os.Exit(1)
	}
}
G
go run .
