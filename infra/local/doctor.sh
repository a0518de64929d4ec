# Sourced by ./qualiz: a line per check; exit code 1 when something is wrong.

doctor_failed=
check() { # ok|warn|FAILED TEXT
  printf '%-6s %s\n' "$1" "$2"
  [ "$1" != FAILED ] || doctor_failed=1
}

metric() { # NAME: the sum of its series over all processes that run
  local name port
  for name in $(running_processes); do
    port=$(port_of "$(port_key "$name")") || continue
    http_body "$port" /metrics | awk -v name="$1" '$1 == name || index($1, name "{") == 1 {sum += $NF} END {print sum + 0}'
  done | awk '{sum += $1} END {printf "%d", sum}'
}

doctor() {
  if sdk_present; then check ok ".NET SDK $(dotnet --list-sdks | grep '^10\.' | tail -n 1 | cut -d ' ' -f 1)"; else check FAILED ".NET SDK 10 is missing"; fi
  if [ -n "${QUALIZ_POSTGRES:-}" ]; then check ok "PostgreSQL: the server that QUALIZ_POSTGRES names"
  elif postgres_installed; then check ok "PostgreSQL is installed: $(postgres_tool postgres --version 2>/dev/null || echo 'a version of its own')"
  elif [ "$(id -u)" -eq 0 ]; then check ok "PostgreSQL is not installed; ./qualiz up installs it"
  else check FAILED "PostgreSQL is not installed: sudo apt-get install postgresql, or set QUALIZ_POSTGRES"; fi
  if rabbitmq_installed || [ -n "${QUALIZ_RABBITMQ:-}" ]; then check ok "RabbitMQ for --distributed and the tests"; else check warn "RabbitMQ is not installed; only --distributed and the tests need it"; fi

  local free
  mkdir -p "$home"
  free=$(free_mb "$home")
  if [ "$free" -ge 5000 ]; then check ok "disk: $free MB free"; elif [ "$free" -ge 2000 ]; then check warn "disk: only $free MB free"; else check FAILED "disk: only $free MB free; 2000 are needed"; fi

  if [ -z "$(running_processes)" ] && [ -n "$(mode)" ]; then
    check FAILED "the instance was up as $(mode) and ended without ./qualiz down; ./qualiz up starts it again; logs: $logs/"
    exit 1
  fi
  if [ -z "$(running_processes)" ]; then
    local port=${QUALIZ_PORT:-5080}
    if port_taken "$port"; then check warn "port $port is taken by something else; ./qualiz up takes the next free one"; else check ok "port $port is free"; fi
    check ok "no instance is running (./qualiz up)"
    exit $((${doctor_failed:-0}))
  fi

  local name code
  for name in $(instance_names); do
    if ! alive "$name"; then check FAILED "$name does not run; ./qualiz up starts it again"; continue; fi
    code=$(http_status "$(port_of "$(port_key "$name")")" /health/ready || true)
    if [ "$code" = 200 ]; then check ok "$name is ready"; else check FAILED "$name is not ready (HTTP ${code:-gives no answer}); log: $logs/$name.log"; fi
  done
  if [ -z "${QUALIZ_POSTGRES:-}" ]; then
    if ! postgres_running; then check FAILED "PostgreSQL does not run; ./qualiz up starts it again"
    else
      check ok "PostgreSQL answers on port $(port_of postgres), $(sql qualiz 'select count(*) from pg_stat_activity where datname is not null') connections"
      local unsent
      # In process a message is done when each of its queues has handled it; with a broker, when it is sent.
      unsent=$(sql qualiz "select count(*) || ' ' || coalesce(extract(epoch from now() - min(created_at))::int, 0) from bus.outbox o where sent_at is null
        and (endpoints is null or exists (select from unnest(endpoints) queue where not exists (
          select from bus.inbox i where i.message_id = o.message_id and i.endpoint = queue)))" || echo '? ?')
      case $unsent in
        *ERROR* | *'?'*) check warn "outbox: could not be read" ;;
        '0 '*) check ok "outbox: nothing waits" ;;
        *) if [ "${unsent#* }" -gt 60 ]; then check FAILED "outbox: ${unsent% *} messages wait, the oldest for ${unsent#* } s"; else check ok "outbox: ${unsent% *} messages wait"; fi ;;
      esac
    fi
  fi
  if [ "$(mode)" = distributed ] && [ -z "${QUALIZ_RABBITMQ:-}" ]; then
    if ! rabbitmq_running; then check FAILED "RabbitMQ does not run; ./qualiz up --distributed starts it again"
    else
      local errors
      errors=$("$root/infra/local/rabbitmq.sh" ctl "$home/rabbitmq" -q list_queues --no-table-headers name messages 2>/dev/null | awk '$1 ~ /_error$/ && $2 > 0 {print $1 " " $2}')
      if [ -z "$errors" ]; then check ok "bus: RabbitMQ answers, no message in any _error queue"; else check FAILED "bus: messages that could not be handled: $errors"; fi
    fi
  else
    check ok "bus: in process"
  fi
  cli doctor || doctor_failed=1
  exit $((${doctor_failed:-0}))
}
