# Sourced by ./qualiz: where things are, how processes are started, found again and stopped.
# Everything that a start leaves behind lies under $home; nothing here ever signals a process by its name.

home=${QUALIZ_HOME:-$root/.qualiz}
logs=$home/logs
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { warn "qualiz: $1"; exit "${2:-1}"; }

# One up, down or reset at a time.
lock() {
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock -w "${1:-0}" 9 || die "another ./qualiz is starting or stopping this instance; try again when it is done"
}
unlock() { exec 9>&-; }

# --- processes -------------------------------------------------------------------------------------------------------
# A process file holds pid, start time and boot. A pid that the kernel has given to another process since has another
# start time, so that a stale file never hits a stranger.

started_at() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  [ "$1" != Z ] && printf '%s' "${20}"
}

process_id() { # NAME: prints the pid if the process lives
  local pid start boot
  [ -s "$home/processes/$1" ] && read -r pid start boot <"$home/processes/$1" || return 1
  [ "$boot" = "$(</proc/sys/kernel/random/boot_id)" ] && [ "$(started_at "$pid")" = "$start" ] && printf '%s' "$pid"
}

alive() { process_id "$1" >/dev/null; }

start() { # NAME COMMAND...: in a session of its own, so that Ctrl-C reaches only the script, which then stops things in order
  local name=$1 pid
  shift
  mkdir -p "$home/processes" "$logs"
  [ ! -e "$logs/$name.log" ] || [ "$(stat -c %s "$logs/$name.log")" -lt 50000000 ] || mv "$logs/$name.log" "$logs/$name.log.1"
  setsid "$@" >>"$logs/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  disown "$pid"
  printf '%s %s %s\n' "$pid" "$(started_at "$pid")" "$(</proc/sys/kernel/random/boot_id)" >"$home/processes/$name"
}

stop() { # NAME...: asks all of them at once, waits up to 20 s, then kills what is left of each with its group
  local name pid tenths=0
  local -A pids=()
  for name in "$@"; do
    if pid=$(process_id "$name"); then pids[$name]=$pid; kill -TERM "$pid" 2>/dev/null || true; fi
  done
  for name in "${!pids[@]}"; do
    while alive "$name" && [ "$tenths" -lt 200 ]; do sleep 0.1; tenths=$((tenths + 1)); done
    kill -KILL -- "-${pids[$name]}" 2>/dev/null || true
  done
  for name in "$@"; do rm -f "$home/processes/$name"; done
}

running_processes() { # names of those that live
  local file
  for file in "$home"/processes/*; do
    [ -e "$file" ] && alive "${file##*/}" && printf '%s\n' "${file##*/}"
  done
  return 0
}

# --- ports and HTTP --------------------------------------------------------------------------------------------------

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

find_free_port() { # sets free to the first free port from there
  free=$1
  while port_taken "$free"; do free=$((free + 1)); done
}

port_of() { # NAME [FROM]: the port this instance has for NAME; the first time, the next free one from FROM
  local file=$home/ports/$1
  if [ -s "$file" ]; then cat "$file"; return; fi
  [ -n "${2:-}" ] || return 1
  mkdir -p "$home/ports"
  local port=$2
  while port_taken "$port" || grep -qsx "$port" "$home"/ports/*; do port=$((port + 1)); done
  printf '%s\n' "$port" | tee "$file"
}

renew_port() { # NAME FROM: for something that is not running: keeps its port unless somebody else has taken it
  if [ -s "$home/ports/$1" ] && port_taken "$(cat "$home/ports/$1")"; then rm "$home/ports/$1"; fi
  port_of "$1" "$2" >/dev/null
}

http_status() { # PORT PATH: the status code of a GET, without curl
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    IFS=' ' read -r -t 10 _ code _ <&3 && printf '%s' "$code"
  ) 2>/dev/null
}

http_body() { # PORT PATH: the body of a GET
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    sed -e '1,/^\r*$/d' <&3
  ) 2>/dev/null
}

await_ready() { # NAME SECONDS: until the process answers /health/ready; says why when it does not
  local until=$((SECONDS + $2)) moved=0
  until [ "$(http_status "$(port_of "$(port_key "$1")")" /health/ready)" = 200 ]; do
    if ! alive "$1"; then
      # Somebody took the port between the look and the start.
      if [ "$(port_key "$1")" = public ] && [ "$moved" -lt 3 ] && tail -n 40 "$logs/$1.log" | grep -q 'address already in use'; then
        moved=$((moved + 1))
        renew_port public "${QUALIZ_PORT:-5080}"
        launch "$1"
        continue
      fi
      tail -n 25 "$logs/$1.log" >&2
      die "$1 ended while starting; the lines above are the end of $logs/$1.log"
    fi
    [ "$SECONDS" -lt "$until" ] || { tail -n 25 "$logs/$1.log" >&2; die "$1 is not ready after $2 s; see $logs/$1.log"; }
    sleep 0.2
  done
}

free_mb() { df -Pm "$1" | awk 'NR == 2 {print $4}'; }
