#!/usr/bin/env bash
# A private RabbitMQ node on loopback: start DIR PORT [OWNER_PID] | stop DIR | status DIR | ctl DIR ARGS...
# Uses its own node name, Erlang cookie and port mapper, so that it meets no other node of this machine.
# User guest / password guest, virtual host /. With OWNER_PID the node stops when that process is gone.
set -euo pipefail

home=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-* 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$home" ] || { echo "RabbitMQ is not installed; install the package 'rabbitmq-server'" >&2; exit 1; }

command=${1:?start, stop, status or ctl}
dir=$(realpath -m "${2:?folder}")
mkdir -p "$dir"

if [ "$command" = start ] && [ ! -s "$dir/env" ]; then
  port=${3:?port}
  free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM)); }
  cat > "$dir/env" <<EOF
export RABBITMQ_NODENAME=qualiz$$@localhost RABBITMQ_NODE_PORT=$port RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
export RABBITMQ_DIST_PORT=$(free_port) ERL_EPMD_PORT=$(free_port) ERL_EPMD_ADDRESS=127.0.0.1
EOF
  # consumer_timeout: RabbitMQ closes a channel whose message is not acknowledged in time; it must exceed the longest step.
  printf 'loopback_users.guest = true\nconsumer_timeout = %s\nvm_memory_high_watermark.relative = 0.2\ndisk_free_limit.absolute = 100MB\n' \
    "${QUALIZ_RABBITMQ_CONSUMER_TIMEOUT:-86400000}" > "$dir/rabbitmq.conf"
  : > "$dir/enabled_plugins.tmp" && echo '[].' > "$dir/enabled_plugins.tmp" && mv "$dir/enabled_plugins.tmp" "$dir/enabled_plugins"
fi
[ -s "$dir/env" ] || { echo stopped; [ "$command" = stop ] && exit 0; exit 3; }
. "$dir/env"
export HOME="$dir" RABBITMQ_MNESIA_BASE="$dir/mnesia" RABBITMQ_LOG_BASE="$dir/log" RABBITMQ_CONFIG_FILE="$dir/rabbitmq" \
  RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins" RABBITMQ_PID_FILE="$dir/pid" RABBITMQ_CONF_ENV_FILE=/dev/null LANG=C.UTF-8 \
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"

ctl() { "$home/sbin/rabbitmqctl" "$@"; }
# The shell that starts the node leads a group of its own; the node is in it before it has written its pid.
launching() { { [ -s "$dir/launcher" ] && tr '\0' '\n' < "/proc/$(cat "$dir/launcher")/environ" | grep -qx "RABBITMQ_PID_FILE=$dir/pid"; } 2>/dev/null; }
alive() { [ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null && tr '\0' ' ' < "/proc/$(cat "$dir/pid")/cmdline" 2>/dev/null | grep -q "$dir"; }

case $command in
  start)
    # Before anything is started: whoever is killed while the node starts has somebody who ends it.
    if [ -n "${4:-}" ]; then
      setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec "$2" stop "$3"' watch "$4" "$(realpath "$0")" "$dir" \
        >/dev/null 2>&1 </dev/null &
    fi
    if ! alive; then
      rm -f "$dir/pid"
      setsid "$home/sbin/rabbitmq-server" > "$dir/out.log" 2>&1 </dev/null &
      echo $! > "$dir/launcher"
      for _ in $(seq 120); do [ -s "$dir/pid" ] && break; sleep 0.5; done
      ctl --quiet wait --timeout 60 "$dir/pid" >/dev/null || { tail -n 20 "$dir/out.log" >&2; exit 1; }
    fi
    # The owner may have gone before there was anything to stop.
    if [ -n "${4:-}" ] && ! kill -0 "$4" 2>/dev/null; then exec "$(realpath "$0")" stop "$dir"; fi
    ;;
  stop)
    if alive; then
      pid=$(cat "$dir/pid")
      ctl --quiet stop --timeout 30 "$dir/pid" >/dev/null 2>&1 || kill -KILL "$pid" 2>/dev/null || true
    fi
    if launching; then kill -KILL -- "-$(cat "$dir/launcher")" 2>/dev/null || true; fi
    rm -f "$dir/launcher"
    # The node's own port mapper, started with it.
    epmd=$(command -v epmd || ls "$(dirname "$(readlink -f "$(command -v erl)")")"/../erts-*/bin/epmd 2>/dev/null | head -n 1 || true)
    [ -z "$epmd" ] || "$epmd" -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1 || true
    ;;
  status) if alive; then echo running; else echo stopped; exit 3; fi ;;
  ctl) shift 2; ctl "$@" ;;
  *) echo "unknown command '$command'" >&2; exit 2 ;;
esac
