#!/usr/bin/env bash
# A private PostgreSQL cluster on loopback: start DIR PORT [OWNER_PID] | stop DIR [MODE] | status DIR
# Makes the cluster on first use. As root it runs under an unprivileged user, as PostgreSQL demands.
# With OWNER_PID the cluster stops when that process is gone, however it went.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v postgres 2>/dev/null || echo /nowhere/postgres)")
[ -x "$bin/postgres" ] || { echo "PostgreSQL is not installed (no postgres binary found); install the package 'postgresql'" >&2; exit 1; }

as_owner() {
  if [ "$(id -u)" -eq 0 ]; then
    local user=postgres
    id "$user" >/dev/null 2>&1 || useradd --system --home-dir "$dir" --shell /usr/sbin/nologin "$user"
    (cd / && exec setpriv --reuid="$user" --regid="$(id -gn "$user")" --clear-groups env HOME="$dir" "$@")
  else
    (cd / && exec "$@")
  fi
}

running() { as_owner "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; }

command=${1:?start, stop or status}
dir=$(realpath -m "${2:?folder}")
case $command in
  start)
    port=${3:?port}
    if [ ! -s "$dir/data/PG_VERSION" ]; then
      mkdir -p "$dir"
      if [ "$(id -u)" -eq 0 ]; then id postgres >/dev/null 2>&1 && chown postgres: "$dir"; fi
      # A cluster half made by a killed start is made again: it held nothing.
      rm -rf "$dir/making" && as_owner "$bin/initdb" -D "$dir/making" -U qualiz --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
      mv "$dir/making" "$dir/data"
    fi
    if ! running; then
      # max_connections leaves room for every service's pool (80 in all), twice over in distributed mode.
      as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/postgres.log" -w -t 60 -s \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 -c shared_buffers=256MB -c wal_compression=on ${QUALIZ_POSTGRES_OPTIONS:-}" \
        start >/dev/null </dev/null || { tail -n 20 "$dir/postgres.log" >&2; exit 1; }
    fi
    if [ -n "${4:-}" ]; then
      setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec "$2" stop "$3" immediate' watch "$4" "$(realpath "$0")" "$dir" \
        >/dev/null 2>&1 </dev/null &
    fi
    ;;
  stop) if running; then as_owner "$bin/pg_ctl" -D "$dir/data" -m "${3:-fast}" -w -t 30 -s stop; fi ;;
  status) if running; then echo running; else echo stopped; exit 3; fi ;;
  *) echo "unknown command '$command'" >&2; exit 2 ;;
esac
