#!/usr/bin/env bash
# asynq 0.26.0 (Go modules) on Redis 7: tasks of a group, which are aggregated into one, and unique tasks in groups.
#
# Expected: an aggregate has its tasks in the order in which they were enqueued, the first ones first; and the lock of a
#   unique task is given back when the work is done, as it is for one without a group.
# Behaviour: tasks of a group are ordered by the second in which they came, within it by random ids: ten tasks enqueued
#   one after the other come in sets of three in any order. The lock of a unique task in a group is not given back when
#   its aggregate is done: the same task is refused until the time of the lock is over.
# Seen: "alone: done, enqueued again", "in a group: done, task already exists" and, of 0123456789 with at most three a
#   group, "490 658 371 2" (another order each time).
set -euo pipefail
command -v go >/dev/null || { apt-get update -q && apt-get install -qy golang-go; } >/dev/null
command -v redis-server >/dev/null || { apt-get update -q && apt-get install -qy redis-server; } >/dev/null
work=$(mktemp -d)
redis-server --port 7452 --save '' --appendonly no --dir "$work" >/dev/null &
redis=$!
trap 'kill "$redis"; rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'M'
module example.org/finding
go 1.24.0
require github.com/hibiken/asynq v0.26.0
M
cat >main.go <<'G'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

func main() {
	redis := asynq.RedisClientOpt{Addr: "127.0.0.1:7452"}
	client := asynq.NewClient(redis)
	done := make(chan string, 100)
	handler := func(_ context.Context, task *asynq.Task) error {
		done <- string(task.Payload())
		return nil
	}
	join := func(_ string, tasks []*asynq.Task) *asynq.Task {
		var all strings.Builder
		for _, task := range tasks {
			all.Write(task.Payload())
		}
		return asynq.NewTask("joined", []byte(all.String()))
	}
	server := asynq.NewServer(redis, asynq.Config{
		LogLevel:         asynq.FatalLevel,
		GroupAggregator:  asynq.GroupAggregatorFunc(join),
		GroupGracePeriod: time.Second,
		GroupMaxSize:     3,
	})
	if err := server.Start(asynq.HandlerFunc(handler)); err != nil {
		panic(err)
	}
	put := func(body string, options ...asynq.Option) string {
		if _, err := client.Enqueue(asynq.NewTask("work", []byte(body)), options...); err != nil {
			return err.Error()
		}
		return "enqueued again"
	}
	unique := asynq.Unique(time.Hour)
	twice := func(body string, options ...asynq.Option) string {
		put(body, options...)
		<-done
		time.Sleep(time.Second) // until its state is stored, too
		return put(body, options...)
	}
	alone := twice("a", unique)
	<-done
	grouped := twice("g", unique, asynq.Group("unique"))
	fmt.Printf("alone: done, %s\nin a group: done, %s\n", alone, grouped)
	for n := range 10 {
		put(fmt.Sprint(n), asynq.Group("ordered"))
	}
	var sets []string
	for count := 0; count < 10; {
		set := <-done
		sets, count = append(sets, set), count+len(set)
	}
	fmt.Println(strings.Join(sets, " "))
	server.Shutdown()
	if alone != "enqueued again" || grouped != "task already exists" || strings.Join(sets, "") == "0123456789" {
		os.Exit(1)
	}
}
G
GOFLAGS='-mod=mod -modcacherw' GOPATH=$work/go go build -o finding . 2>/dev/null
timeout 60 ./finding
