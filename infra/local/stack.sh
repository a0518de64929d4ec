# Sourced by ./qualiz: the running instance, in one process (standalone) or one per service (distributed).

services=(pipelines runs datasets ingest cleanse dedup enrich deliver notify tasks)
engine_services=(ingest cleanse dedup enrich deliver tasks) # those with engine workers
mode() { cat "$home/mode" 2>/dev/null; }
replicas() { cat "$home/replicas" 2>/dev/null || echo 1; }
public_port() { port_of public 5080; }
address() { printf 'http://127.0.0.1:%s' "$(public_port)"; }

# --- what of $home is the instance's ---------------------------------------------------------------------------------
# QUALIZ_HOME may name a folder that holds other things too. The mark says that an instance was begun there, and which of the names
# that it uses were taken before: those are not its own, and reset leaves them.

instance_mark=.qualiz-instance
instance_entries=(store landing delivered scratch secrets.key services.key postgres rabbitmq)
instance_notes=(mode replicas processes ports)

# The checkout's own folder is nobody else's; instances of older versions have no mark.
is_instance() { [ -z "${QUALIZ_HOME:-}" ] || [ -e "$home/$instance_mark" ] || [ -e "$home/store/.qualiz-store" ] || [ -s "$home/ports/public" ]; }

claim() { # before anything else is written below $home
  local name
  [ ! -e "$home/$instance_mark" ] || return 0
  if ! is_instance; then
    for name in "${instance_notes[@]}"; do
      [ ! -e "$home/$name" ] || die "$home/$name is there already, and no instance made it: give QUALIZ_HOME a folder of its own" 2
    done
    for name in "${instance_entries[@]}"; do
      if [ -e "$home/$name" ]; then echo "$name"; fi
    done >"$home/$instance_mark.new"
    mv "$home/$instance_mark.new" "$home/$instance_mark"
  else
    : >"$home/$instance_mark"
  fi
}

wipe() { # removes what the instance made, and $home when nothing else is in it
  local folder name
  folder=$(postgres_folder)
  case $folder in "$home"/*) ;; *) rm -rf "$folder" ;; esac
  for name in "${instance_entries[@]}"; do
    grep -qsx "$name" "$home/$instance_mark" || rm -rf "${home:?}/$name"
  done
  for name in "${instance_notes[@]}"; do rm -rf "${home:?}/$name"; done
  rm -f "$home"/logs/*.log "$home"/logs/*.log.1 "$home"/test-results/*.log "$home"/test-results/*.trx "$home/lock" "$home/$instance_mark"
  rmdir "$home/logs" "$home/test-results" "$home" 2>/dev/null || true
}

# The private cluster must be reachable for the unprivileged user that PostgreSQL runs as; a checkout below /root is not.
postgres_folder() {
  if [ -n "${private:-}" ]; then
    printf '%s' "$home/postgres"
  elif [ "$(id -u)" -ne 0 ] || setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$root" 2>/dev/null; then
    printf '%s' "$home/postgres"
  else
    printf '/var/lib/qualiz-%s' "$(printf '%s' "$home" | cksum | cut -d ' ' -f 1)"
  fi
}

postgres_tool() { # TOOL ARGS...: a client program of the installed PostgreSQL
  local tool=$1 bin
  shift
  bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
  "${bin:+$bin/}$tool" "$@"
}

# Npgsql's form of the address. QUALIZ_POSTGRES names a server of the user's own; the private cluster is used without it.
connection_string() { # DATABASE
  if [ -n "${QUALIZ_POSTGRES:-}" ]; then
    case ";$QUALIZ_POSTGRES" in
      *';'[Dd]atabase=*) printf '%s' "$QUALIZ_POSTGRES" ;;
      *) printf '%s;Database=%s' "${QUALIZ_POSTGRES%;}" "$1" ;;
    esac
  else
    printf 'Host=127.0.0.1;Port=%s;Username=qualiz;Database=%s' "$(port_of postgres)" "$1"
  fi
}

sql() { # DATABASE STATEMENT: rows without decoration, on the private cluster
  postgres_tool psql -X -q -A -t -h 127.0.0.1 -p "$(port_of postgres)" -U qualiz -d "$1" -v ON_ERROR_STOP=1 -c "$2" 2>&1
}

postgres_running() { [ -s "$home/ports/postgres" ] && "$root/infra/local/postgres.sh" status "$(postgres_folder)" >/dev/null 2>&1; }
rabbitmq_running() { [ -s "$home/ports/rabbitmq" ] && "$root/infra/local/rabbitmq.sh" status "$home/rabbitmq" >/dev/null 2>&1; }

start_postgres() {
  [ -z "${QUALIZ_POSTGRES:-}" ] || return 0
  if ! postgres_running; then
    renew_port postgres 5433
    mkdir -p "$(postgres_folder)"
    "$root/infra/local/postgres.sh" start "$(postgres_folder)" "$(port_of postgres)" 9>&- || die "PostgreSQL did not start"
  fi
  local database
  for database in qualiz demo_dwh; do
    [ -n "$(sql postgres "select 1 from pg_database where datname = '$database'")" ] || sql postgres "create database $database" >/dev/null
  done
}

start_rabbitmq() {
  [ -z "${QUALIZ_RABBITMQ:-}" ] || return 0
  if ! rabbitmq_running; then
    renew_port rabbitmq 5673
    "$root/infra/local/rabbitmq.sh" start "$home/rabbitmq" "$(port_of rabbitmq)" 9>&- || die "RabbitMQ did not start"
  fi
}

make_key() { [ -s "$1" ] || (umask 077 && head -c 32 /dev/urandom | base64 -w 0 >"$1"); } # FILE, readable by its owner only

configure() { # what every process is given; docs/operate.md has the table
  export ConnectionStrings__Qualiz Store__Type=${Store__Type:-local} Store__Root=${Store__Root:-$home/store} \
    Secrets__KeyFile=${Secrets__KeyFile:-$home/secrets.key} Folders__Roots__0=$home/delivered Folders__Roots__1=$home/landing \
    Engine__Scratch=${Engine__Scratch:-$home/scratch} Bus__Transport=InProcess ASPNETCORE_ENVIRONMENT=Production Outbound__Allow__0=127.0.0.1
  ConnectionStrings__Qualiz=$(connection_string qualiz)
  # A database server of the user's own may be on a private network; the demo delivers to it.
  [ -z "${QUALIZ_POSTGRES:-}" ] || export Outbound__Allow__1="$(sed -n 's/.*[Hh]ost=\([^;]*\).*/\1/p' <<<"$QUALIZ_POSTGRES")"
  if [ "$(mode)" = distributed ]; then
    export Bus__Transport=RabbitMq Bus__Uri=${QUALIZ_RABBITMQ:-amqp://guest:guest@127.0.0.1:$(port_of rabbitmq)/}
    # The services know each other by this key; the engine workers of all services share the machine's memory.
    make_key "$home/services.key"
    export Services__Pipelines=http://127.0.0.1:$(port_of pipelines-1) Services__Key Engine__MemoryShare
    Services__Key=$(<"$home/services.key")
    Engine__MemoryShare=$(memory_share "$(replicas)")
  fi
  # An instance for one command works where the person does, and leaves nothing elsewhere.
  [ -z "${private:-}" ] || export Folders__Roots__0=$PWD Folders__Roots__1=$home/landing Engine__Scratch=$home/scratch
  mkdir -p "$home/store" "$home/landing" "$home/delivered" "$home/scratch"
  make_key "$Secrets__KeyFile"
}

memory_share() { # REPLICAS: each process's part of the 60 % of the memory that all engine workers may use together; never rounded up
  awk -v processes="$((${#engine_services[@]} * $1))" 'BEGIN {printf "%.4f", int(6000 / processes) / 10000}'
}

instance_names() { # every process of the mode, in the order in which they start
  if [ "$(mode)" = standalone ]; then echo standalone; return; fi
  local service replica
  for service in "${services[@]}"; do
    for ((replica = 1; replica <= $(replicas); replica++)); do echo "$service-$replica"; done
  done
  echo gateway
}

port_key() { case $1 in standalone | gateway) echo public ;; *) echo "$1" ;; esac; }

launch() { # NAME: starts one process of the instance
  local name=$1 service=${1%-*} assembly replica cluster
  case $name in
    standalone) assembly=Qualiz.Standalone ;;
    gateway) assembly=Qualiz.Gateway ;;
    *) assembly=Qualiz.${service^} ;;
  esac
  local env=("ASPNETCORE_URLS=http://127.0.0.1:$(port_of "$(port_key "$name")")")
  if [ "$name" = gateway ]; then
    for cluster in pipelines runs datasets notify; do
      for ((replica = 1; replica <= $(replicas); replica++)); do
        env+=("ReverseProxy__Clusters__${cluster}__Destinations__${replica}__Address=http://127.0.0.1:$(port_of "$cluster-$replica")")
      done
    done
  fi
  start "$name" env "${env[@]}" dotnet "$(binary "$assembly")"
}

# Finds a running instance, or starts one. Sets started=1 when it did, so that the caller knows what it owns.
bring_up() { # MODE REPLICAS
  started=
  need_sdk
  lock 60
  claim
  # shellcheck disable=SC2046
  if [ -n "$(mode)" ] && [ -n "$(running_processes)" ]; then
    [ "$(mode)" = "$1" ] || die "an instance is running as $(mode); stop it first: ./qualiz down"
    if [ "$(running_processes | sort)" = "$(instance_names | sort)" ]; then unlock; return; fi
    say "some processes of the last start are gone; starting those again"
  fi
  started=1
  echo "$1" >"$home/mode"
  echo "$2" >"$home/replicas"
  [ -n "${QUALIZ_POSTGRES:-}" ] || need_postgres
  local projects=(services/Standalone cli) name
  if [ "$1" = distributed ]; then
    [ -n "${QUALIZ_RABBITMQ:-}" ] || need_rabbitmq
    projects+=(gateway)
  fi
  # What runs must not be written over; a repair starts the same build again.
  [ -n "$(running_processes)" ] || build Release "${projects[@]}"
  start_postgres
  [ "$1" = standalone ] || start_rabbitmq
  for name in $(instance_names); do
    alive "$name" && continue
    case $name in
      standalone | gateway) renew_port public "${QUALIZ_PORT:-5080}" ;;
      *) renew_port "$name" 5100 ;;
    esac
  done
  configure
  # The schemas exist before a second process looks for them.
  for name in $(instance_names); do
    alive "$name" || launch "$name"
  done
  for name in $(instance_names); do await_ready "$name" 90; done
  unlock
}

tear_down() {
  local names
  mapfile -t names < <(running_processes)
  [ "${#names[@]}" -eq 0 ] || stop "${names[@]}"
  rm -rf "$home/processes"
  ! rabbitmq_running || "$root/infra/local/rabbitmq.sh" stop "$home/rabbitmq" >/dev/null 2>&1 || true
  ! postgres_running || "$root/infra/local/postgres.sh" stop "$(postgres_folder)" || true
  rm -f "$home/mode" "$home/replicas"
}

# Stays until Ctrl-C; starts a process again that ended, unless it keeps ending.
supervise() {
  local name
  local -A ended=() since=() # of each process: after a broker's outage several may have to start anew at once
  while :; do
    for name in $(instance_names); do
      alive "$name" && continue
      [ -n "$(mode)" ] || { say "stopped by ./qualiz down"; exit 0; }
      [ $((SECONDS - ${since[$name]:--60})) -lt 60 ] || { ended[$name]=0; since[$name]=$SECONDS; }
      ended[$name]=$((ended[$name] + 1))
      [ "${ended[$name]}" -le 5 ] || { tail -n 25 "$logs/$name.log" >&2; die "$name keeps ending; see $logs/$name.log"; }
      warn "$name ended; starting it again (log: $logs/$name.log)"
      configure
      launch "$name"
    done
    [ -n "${QUALIZ_POSTGRES:-}" ] || postgres_running || { warn "PostgreSQL ended; starting it again"; start_postgres; }
    [ "$(mode)" != distributed ] || [ -n "${QUALIZ_RABBITMQ:-}" ] || rabbitmq_running || { warn "RabbitMQ ended; starting it again"; start_rabbitmq; }
    sleep 1
  done
}
