#!/usr/bin/env bash
# A private S3 server on loopback (s3rver from npm), for tests and trials: start DIR PORT | stop DIR | status DIR
# Bucket qualiz, access key and secret key S3RVER. Its objects outlive it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd -P)
program=$here/s3/node_modules/s3rver/bin/s3rver.js
command=${1:?start, stop or status}
dir=$(realpath -m "${2:?folder}")

alive() { [ -s "$dir/pid" ] && tr '\0' ' ' <"/proc/$(cat "$dir/pid")/cmdline" 2>/dev/null | grep -qF "$dir/data"; }

case $command in
  start)
    port=${3:?port}
    alive && exit 0
    mkdir -p "$dir/data"
    if [ ! -e "$program" ]; then
      # Two test suites may come at once.
      exec 8<"$here/s3/package.json"
      flock 8
      [ -e "$program" ] || (cd "$here/s3" && npm ci --no-audit --no-fund >"$dir/npm.log" 2>&1) || { cat "$dir/npm.log" >&2; exit 1; }
      exec 8<&-
    fi
    setsid node "$program" --directory "$dir/data" --address 127.0.0.1 --port "$port" --silent --no-vhost-buckets --configure-bucket qualiz \
      >"$dir/out.log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    for _ in {1..150}; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then exit 0; fi
      alive || { sleep 0.1; alive; } || { cat "$dir/out.log" >&2; exit 1; }
      sleep 0.1
    done
    echo "the S3 server does not listen; see $dir/out.log" >&2
    exit 1
    ;;
  stop) if alive; then kill "$(cat "$dir/pid")"; rm -f "$dir/pid"; fi ;;
  status) if alive; then echo running; else echo stopped; exit 3; fi ;;
  *) echo "unknown command '$command'" >&2; exit 2 ;;
esac
