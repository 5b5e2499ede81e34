#!/usr/bin/env bash
# nsqd 1.3.0 (Go modules) with `-mem-queue-size 0 -sync-every 1`: what becomes of a message that is deferred by 20 s
# when the server is stopped, or killed, and started again.
#
# Expected: with nothing kept in memory and each write synced, a message that was answered with OK survives either, and
#   stays deferred.
# Behaviour: that holds for plain messages. Deferred ones are kept in memory alone. A clean stop writes them down as
#   plain ones: after the start they are delivered at once, 19 s early, as a first attempt. A kill loses them.
# Seen: "stopped: plain, deferred" and "killed: plain", each within 4 s of the start.
set -euo pipefail
command -v go >/dev/null || { apt-get update -q && apt-get install -qy golang-go; } >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'M'
module example.org/finding
go 1.21
require github.com/nsqio/nsq v1.3.0
replace github.com/judwhite/go-svc => github.com/mreiferson/go-svc v1.2.2-0.20210815184239-7a96e00010f6
M
GOBIN=$work GOFLAGS='-mod=mod -modcacherw' GOPATH=$work/go go install github.com/nsqio/nsq/apps/nsqd 2>/dev/null
[[ $(./nsqd -version) == 'nsqd v1.3.0 '* ]] || { ./nsqd -version; exit 1; }
python3 - <<'P'
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

TCP, HTTP = ("127.0.0.1", 7450), "127.0.0.1:7451"


def ask(path, body=None):
    method = "GET" if body is None else "POST"
    asked = urllib.request.Request(f"http://{HTTP}/{path}", data=body, method=method)
    return urllib.request.urlopen(asked, timeout=5).read()


def start(folder):
    server = subprocess.Popen(
        ["./nsqd", "-data-path", folder, "-tcp-address", "127.0.0.1:7450", "-http-address", HTTP,
         "-mem-queue-size", "0", "-sync-every", "1"],
        stderr=subprocess.DEVNULL,
    )
    for _ in range(100):
        try:
            ask("ping")
            return server
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server does not answer")


def receive(seconds):
    bodies, read, end = [], b"", time.monotonic() + seconds
    with socket.create_connection(TCP) as consumer:
        consumer.settimeout(0.2)
        consumer.sendall(b"  V2SUB t c\nRDY 10\n")
        while time.monotonic() < end:
            try:
                read += consumer.recv(65536)
            except TimeoutError:
                continue
            while len(read) >= 4 and len(read) >= 4 + struct.unpack(">i", read[:4])[0]:
                size, kind = struct.unpack(">ii", read[:8])
                frame, read = read[8 : 4 + size], read[4 + size :]
                if kind == 2:  # time, attempt, id, body
                    assert struct.unpack(">H", frame[8:10])[0] == 1
                    bodies.append(frame[26:].decode())
                    consumer.sendall(b"FIN " + frame[10:26] + b"\n")
    return bodies


seen = {}
for word, how in (("stopped", signal.SIGTERM), ("killed", signal.SIGKILL)):
    with tempfile.TemporaryDirectory() as folder:
        server = start(folder)
        ask("topic/create?topic=t", b"")
        ask("channel/create?topic=t&channel=c", b"")
        assert ask("pub?topic=t&defer=20000", b"deferred") == b"OK"
        assert ask("pub?topic=t", b"plain") == b"OK"
        time.sleep(0.5)
        server.send_signal(how)
        server.wait()
        server = start(folder)
        try:
            seen[word] = sorted(receive(4), reverse=True)
        finally:
            server.kill()
            server.wait()
    print(f"{word}: {', '.join(seen[word])}")
assert seen == {"stopped": ["plain", "deferred"], "killed": ["plain"]}, seen
P
