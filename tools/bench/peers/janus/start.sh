#!/bin/sh
# Starts Debian's Janus (packages janus, gcc) on loopback, pinned to CPU $CPU (0), in its own folder under
# ${PEERS_DIR:-/tmp/parley-peers}/janus; prints its pid. LOOPS=n gives it n event loops instead of a thread per
# connection, which is how one tunes it. HTTP API on 127.0.0.1:8088.
set -e
here=$(cd "$(dirname "$0")" && pwd)
dir=${PEERS_DIR:-/tmp/parley-peers}/janus
mkdir -p "$dir"
cp "$here"/config/* "$dir"/
sed -i "s#@DIR@#$dir#" "$dir/janus.jcfg"
[ -z "${LOOPS:-}" ] || sed -i "s#^general: {#general: {\n\tevent_loops = $LOOPS#" "$dir/janus.jcfg"
[ -e "$dir/loopback.so" ] || gcc -O2 -shared -fPIC -o "$dir/loopback.so" "$here/loopback.c" -ldl
LD_PRELOAD=$dir/loopback.so taskset -c "${CPU:-0}" setsid /usr/bin/janus -F "$dir" >"$dir/log" 2>&1 </dev/null &
echo $! | tee "$dir/pid"
for i in $(seq 100); do curl -s http://127.0.0.1:8088/janus/info >/dev/null && exit 0; sleep 0.1; done
echo "janus did not answer; see $dir/log" >&2
exit 1
