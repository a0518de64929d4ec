#!/usr/bin/env bash
# A private SMTP server on loopback for tests: start DIR PORT [OWNER_PID] | stop DIR | status DIR.
# It keeps every message as a file in DIR/mail/new. With OWNER_PID it stops when that process is gone.
set -euo pipefail

python=/usr/bin/python3
"$python" -c 'import aiosmtpd' 2>/dev/null || { echo "aiosmtpd is not installed; install the package 'python3-aiosmtpd'" >&2; exit 1; }

command=${1:?start, stop or status}
dir=$(realpath -m "${2:?folder}")
mkdir -p "$dir"

alive() { [ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null && tr '\0' ' ' < "/proc/$(cat "$dir/pid")/cmdline" 2>/dev/null | grep -q "$dir"; }

case $command in
  start)
    port=${3:?port}
    if ! alive; then
      setsid "$python" -m aiosmtpd -n -u -l "127.0.0.1:$port" -c aiosmtpd.handlers.Mailbox "$dir/mail" > "$dir/out.log" 2>&1 </dev/null &
      echo $! > "$dir/pid"
      for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        alive || { tail -n 20 "$dir/out.log" >&2; exit 1; }
        sleep 0.1
      done
    fi
    if [ -n "${4:-}" ]; then
      setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec "$2" stop "$3"' watch "$4" "$(realpath "$0")" "$dir" \
        >/dev/null 2>&1 </dev/null &
    fi
    ;;
  stop) ! alive || kill "$(cat "$dir/pid")" 2>/dev/null || true ;;
  status) if alive; then echo running; else echo stopped; exit 3; fi ;;
  *) echo "unknown command '$command'" >&2; exit 2 ;;
esac
