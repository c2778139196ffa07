#!/bin/bash
# Runs the same loads against several servers, one after another, each freshly started for each load.
#   compare.sh SERVERS.sh OUT.jsonl "SHAPES" "SRTP PROFILES" SECONDS [REPEATS]
#   SHAPES: PUBSxSUBS or ROOMSxPUBSxSUBS, blank-separated, e.g. "1x50 1x200 10x10 10x5x5"; with a b at
#   the end bursts of 20 packets at 4 Mbit/s, as of a screen: "1x100b"
# SERVERS.sh is sourced. It sets SERVERS="a b ..." and defines for each, NAME in the function's name:
#   NAME_start   starts it (on CPU $SFU_CPU) and returns when it answers
#   NAME_pids    prints the pids to account, the forwarding process first
#   NAME_args    prints sfuload's signalling options
#   NAME_stop    stops it
# Environment: SFU_CPU (0), GEN_CPU (1), EXTRA (more sfuload options), QUIET (wait up to this many seconds
# for the machine to be idle before each run; 60).
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${SFU_CPU:=0}" "${GEN_CPU:=1}" "${EXTRA:=}" "${QUIET:=60}"
export SFU_CPU GEN_CPU
load=${SFULOAD:-$here/../../../build/release/tools/bench/sfuload}
. "$1"
out=$2 shapes=$3 profiles=$4 secs=$5 repeats=${6:-1}

idle() { # percent idle over one second, all CPUs
	local a b
	a=$(awk '/^cpu /{print $5+$6, $2+$3+$4+$5+$6+$7+$8+$9}' /proc/stat); sleep 1
	b=$(awk '/^cpu /{print $5+$6, $2+$3+$4+$5+$6+$7+$8+$9}' /proc/stat)
	awk -v a="$a" -v b="$b" 'BEGIN{split(a,x);split(b,y);print int(100*(y[1]-x[1])/(y[2]-x[2]+1e-9))}'
}
for rep in $(seq "$repeats"); do
	for shape in $shapes; do
		for profile in $profiles; do
			for s in $SERVERS; do
				for ((i = 0; i < QUIET; i++)); do [ "$(idle)" -ge 95 ] && break; done
				IFS=x read -r a b c <<<"${shape%b}"
				[ "$shape" = "${shape%b}" ] && burst="" || burst="--burst 20 --kbps 4000"
				[ -n "${c:-}" ] && dims="--rooms $a --pubs $b --subs $c" || dims="--pubs $a --subs $b"
				"${s}_start" >/dev/null || { echo "$s did not start" >&2; continue; }
				p=""
				for pid in $("${s}_pids"); do p="$p --pid $pid"; done
				timeout 300 "$load" $("${s}_args") $dims --srtp "$profile" --time "$secs" --cpu "$GEN_CPU" \
					--label "$s" --json "$out" $p $burst $EXTRA || echo "  ($s $shape $profile: exit $?)"
				"${s}_stop"
			done
		done
	done
done
