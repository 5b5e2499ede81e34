#!/usr/bin/env bash
# Cassandra 5.0.8 (Maven), two nodes that start at the same time with `-Dcassandra.ring_delay_ms=100`, as set-ups for
# tests like it; cassandra-driver 3.30.1 (PyPI).
#
# Expected: a node that missed a change of the tables (it stood still while its peer pushed it) asks for it as soon
#   as it learns by gossip that the peer has another schema version: within `cassandra.migration_delay_ms`, 1 s here.
# Behaviour: while a node starts, a peer from which nothing comes for longer than the ring delay is taken for a
#   client and removed from gossip. It comes back a second later, is up and normal, and both serve. But its schema
#   versions are ignored from then on: what it made and this node missed is not asked for, and a client that waits
#   for the nodes to agree waits in vain. With a ring delay of 20 s nothing is removed, and they agree at once.
# Seen: "ring delay 100 ms: taken for a client yes, agreed after 20 s no" and
#   "ring delay 20000 ms: taken for a client no, agreed after 20 s yes".
set -euo pipefail
command -v mvn >/dev/null || { apt-get update -q && apt-get install -qy openjdk-17-jdk-headless maven; } >/dev/null
java=java
"$java" -version 2>&1 | grep -q '"17' || java=$(ls -d /usr/lib/jvm/*17*/bin/java | head -n 1)
work=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
cat >pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>node</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>5.0.8</version>
  </dependency></dependencies>
</project>
X
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$work/jars" >/dev/null
python3 -m venv v
v/bin/pip install -q --disable-pip-version-check cassandra-driver==3.30.1
cat >logback.xml <<'X'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%logger{0} %msg%n</pattern></encoder></appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
X
opened=()
for module in java.base/jdk.internal.misc java.base/java.lang.ref jdk.unsupported/sun.misc java.sql/java.sql \
    java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server \
    jdk.compiler/com.sun.tools.javac.file jdk.attach/sun.tools.attach; do
    opened+=("--add-exports=$module=ALL-UNNAMED")
done
for module in java.{io,lang,lang.module,lang.reflect,nio,util} sun.nio.ch \
    jdk.internal.{loader,math,module,ref,reflect,util.jar}; do
    opened+=("--add-opens=java.base/$module=ALL-UNNAMED")
done
opened+=(--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED)

launch() { # which of two nodes, ring delay
    local home=$work/$2/$1 token=-4611686018427387904
    (($1 == 1)) || token=4611686018427387904
    mkdir -p "$home"
    cat >"$home/cassandra.yaml" <<Y
cluster_name: finding
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
num_tokens: 1
initial_token: '$token'
auto_bootstrap: false
seed_provider: [{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: '127.0.5.1,127.0.5.2'}]}]
listen_address: 127.0.5.$1
rpc_address: 127.0.5.$1
data_file_directories: [$home/data]
commitlog_directory: $home/commitlog
hints_directory: $home/hints
saved_caches_directory: $home/caches
cdc_raw_directory: $home/cdc
commitlog_sync: periodic
commitlog_sync_period: 1000ms
commitlog_segment_size: 8MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
request_timeout: 4000ms
Y
    (cd "$home" && exec setsid "$java" "${opened[@]}" -javaagent:"$(ls "$work"/jars/jamm-*.jar)" -Xms512m -Xmx512m \
        -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.io.tmpdir="$home" -Djava.net.preferIPv4Stack=true \
        -Djdk.attach.allowAttachSelf=true -Dio.netty.tryReflectionSetAccessible=true \
        -Dlogback.configurationFile="$work/logback.xml" -Dcassandra.config="file://$home/cassandra.yaml" \
        -Dcassandra.storagedir="$home" -Dcassandra.logdir="$home" -Dcassandra-foreground=yes \
        -Dcassandra.libjemalloc=- -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms="$2" \
        -Dcassandra.superuser_setup_delay_ms=0 -Dcassandra.jmx.local.port=$((7400 + $1)) \
        -Dcassandra.migration_delay_ms=1000 -Dcassandra.schema_pull_interval_ms=1000 -cp "$work/jars/*" \
        org.apache.cassandra.service.CassandraDaemon </dev/null >log 2>&1) &
    pids+=($!)
}

try() { # ring delay
    pids=()
    launch 1 "$1"
    launch 2 "$1"
    local node client=no
    for node in 1 2; do
        for _ in {1..600}; do
            grep -q 'Starting listening for CQL clients' "$1/$node/log" && break
            sleep 0.1
        done
    done
    sleep 3
    grep -q 'FatClient' "$1/1/log" "$1/2/log" && client=yes
    # The first maker is a node that its peer took for a client, if there is one.
    local maker=1
    grep -q 'FatClient /127.0.5.2' "$1/1/log" && ! grep -q 'FatClient /127.0.5.1' "$1/2/log" && maker=2
    printf 'ring delay %s ms: taken for a client %s, agreed after 20 s %s\n' "$1" "$client" \
        "$(v/bin/python agree.py "$maker" "${pids[@]}")"
    for pid in "${pids[@]}"; do kill -9 "$pid"; done
    wait 2>/dev/null || true
}

cat >agree.py <<'P'
import os
import signal
import sys
import time

from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.policies import WhiteListRoundRobinPolicy


def session(node):
    address = f"127.0.5.{node}"
    only = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([address]), request_timeout=30)
    return Cluster([address], execution_profiles={EXEC_PROFILE_DEFAULT: only}, max_schema_agreement_wait=0).connect()


maker, pids = int(sys.argv[1]), [int(pid) for pid in sys.argv[2:]]
other = 3 - maker
sessions = {node: session(node) for node in (1, 2)}


def versions():
    return {str(one.execute("SELECT schema_version FROM system.local").one()[0]) for one in sessions.values()}


os.kill(pids[other - 1], signal.SIGSTOP)
sessions[maker].execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
time.sleep(7)
os.kill(pids[other - 1], signal.SIGCONT)
until = time.monotonic() + 20
while len(versions()) > 1 and time.monotonic() < until:
    time.sleep(0.2)
print("no" if len(versions()) > 1 else "yes")
os._exit(0)
P
{ try 100; try 20000; } | tee seen
grep -qx 'ring delay 100 ms: taken for a client yes, agreed after 20 s no' seen
grep -qx 'ring delay 20000 ms: taken for a client no, agreed after 20 s yes' seen
