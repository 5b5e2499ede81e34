#!/usr/bin/env bash
# fakeredis 2.41.0 with its extra `lua` (PyPI), the stand-in for tests, beside redis-server.
#
# Expected: what the stand-in runs gives the same answer; libraries of scripts that it has not are
#   missing with a word.
# Behaviour: an empty table becomes `[]` where the server writes `{}`, without a word: a script that keeps
#   its state as JSON reads a list back in the tests and a map in production. A script that begins with
#   `#!lua flags=…` (the way to say since Redis 7 what it writes) is no Lua for it; `cmsgpack`, `struct`,
#   `bit` and `redis.sha1hex` are not there.
# Seen: 'cjson.encode({}): server {}, stand-in []', and "refused by the stand-in: shebang, cmsgpack,
#   struct, bit, sha1hex".
set -euo pipefail
command -v redis-server >/dev/null || { apt-get update -q && apt-get install -qy redis-server; } >/dev/null
work=$(mktemp -d)
redis=
finish() {
    [[ -z $redis ]] || kill "$redis" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
redis-server --port 7425 --save '' --dir "$work" >redis.log &
redis=$!
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check 'fakeredis[lua]==2.41.0'
v/bin/python - <<'P'
import fakeredis
import redis

server = redis.Redis(port=7425)
stand_in = fakeredis.FakeRedis()

empty = [one.eval("return cjson.encode({})", 0).decode() for one in (server, stand_in)]
print(f"cjson.encode({{}}): server {empty[0]}, stand-in {empty[1]}")
assert empty == ["{}", "[]"]

scripts = {
    "shebang": "#!lua flags=no-writes\nreturn 1",
    "cmsgpack": "return #cmsgpack.pack({1, 2})",
    "struct": "return #struct.pack('>I2', 5)",
    "bit": "return bit.band(7, 3)",
    "sha1hex": "return #redis.sha1hex('a')",
}
refused = []
for name, script in scripts.items():
    assert isinstance(server.eval(script, 0), int)
    try:
        stand_in.eval(script, 0)
    except redis.ResponseError:
        refused.append(name)
print(f"refused by the stand-in: {', '.join(refused)}")
assert refused == list(scripts)
P
