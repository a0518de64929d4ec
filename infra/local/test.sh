# Sourced by ./qualiz: one build, one PostgreSQL and one RabbitMQ for all suites, a line per suite, and nothing left behind.

suite_bound=${QUALIZ_TEST_SUITE_SECONDS:-900}

suite_names() { # the folders under tests/ that hold a test project
  local project
  for project in "$root"/tests/*/*.Tests.csproj; do basename "$(dirname "$project")"; done
}

# Processes that carry this test run's mark in their environment, the runner and its servers apart.
marked_processes() {
  local process pid
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    [ "$pid" != "$BASHPID" ] && [ "$pid" != $$ ] || continue
    { tr '\0' '\n' <"$process/environ" | grep -qx "QUALIZ_TEST_RUN=$1"; } 2>/dev/null && printf '%s\n' "$pid"
  done
  return 0
}

# The watcher outlives this script by a moment: it takes everything down when the script is gone, even by kill -9.
watch_over() { # FOLDER MARK OWNER_PID
  trap '' INT TERM HUP
  while [ -e "/proc/$3" ] && [ ! -e "$1/finished" ]; do sleep 0.5; done
  local pid
  for pid in $(marked_processes "$2"); do kill -KILL "$pid" 2>/dev/null; done
  [ ! -d "$1/rabbitmq" ] || "$root/infra/local/rabbitmq.sh" stop "$1/rabbitmq"
  [ ! -d "$1/postgres" ] || "$root/infra/local/postgres.sh" stop "$1/postgres"
  rm -rf "$1"
}

counter() { grep -o "<Counters [^>]*" "$1" | grep -o " $2=\"[0-9]*\"" | head -n 1 | tr -dc 0-9; }

# In the background and waited for, so that this script hears a signal at once; the watcher then kills what carries the mark.
bounded() { # SECONDS COMMAND...
  QUALIZ_TEST_RUN=$mark timeout -s KILL "$@" </dev/null &
  wait $!
}

run_suite() { # NAME: prints its line; adds to passed, failed, skipped
  local name=$1 begun=$SECONDS code=0 trx log total ok bad leftover pid note=
  local assembly
  assembly=$(basename "$(compgen -G "$root/tests/$name/*.Tests.csproj")" .csproj)
  trx=$results/$assembly.trx log=$results/$assembly.log
  bounded "$suite_bound" dotnet test "$root/artifacts/bin/$assembly/debug/$assembly.dll" \
    --results-directory "$results" --logger "trx;LogFileName=$assembly.trx" --logger "console;verbosity=normal" >"$log" 2>&1 || code=$?
  if [ -s "$trx" ]; then
    total=$(counter "$trx" total) ok=$(counter "$trx" passed) bad=$(counter "$trx" failed)
  else
    total=0 ok=0 bad=0
  fi
  if [ "$code" -eq 137 ]; then note="killed after $suite_bound s"; bad=$((bad + 1)); total=$((total + 1))
  elif [ "$total" -eq 0 ]; then note="ran nothing"; bad=1 total=1
  elif [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then note="exit code $code"; bad=1 total=$((total + 1)); fi
  leftover=$(marked_processes "$mark")
  if [ -n "$leftover" ]; then
    for pid in $leftover; do
      note="$note; left behind: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c 1-100)"
      kill -KILL "$pid" 2>/dev/null || true
    done
    bad=$((bad + 1)) total=$((total + 1))
  fi
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + total - ok - bad))
  printf '%-6s %-14s %5d passed %4d failed %4d skipped %6d s   %s\n' \
    "$([ "$bad" -eq 0 ] && echo ok || echo FAILED)" "$name" "$ok" "$bad" $((total - ok - bad)) $((SECONDS - begun)) "${note#; }"
  if [ "$bad" -gt 0 ]; then
    awk '/^  Failed / {show = 14} /^  (Passed|Skipped) |^Results File|^\[xUnit/ {show = 0} /aborted|Unhandled exception/ {show = 8} show-- > 0' "$log" | head -n 80
    say "  (all of it: $log)"
  fi
}

line() { # ok|FAILED NAME BEGUN NOTE: for a check that counts as one test
  printf '%-6s %-14s %40s %6d s   %s\n' "$1" "$2" '' $((SECONDS - $3)) "${4:-}"
  if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# The whole host starts on an empty database, and says of itself what contracts/openapi.json says.
check_documents() {
  local begun=$SECONDS log=$results/openapi.log pid
  find_free_port $((29000 + RANDOM % 3000))
  postgres_tool createdb -h 127.0.0.1 -p "$postgres_port" -U qualiz openapi
  mkdir -p "$folder/store"
  head -c 32 /dev/urandom | base64 -w 0 >"$folder/secrets.key"
  QUALIZ_TEST_RUN=$mark ASPNETCORE_URLS=http://127.0.0.1:$free Bus__Transport=InProcess Store__Root="$folder/store" Secrets__KeyFile="$folder/secrets.key" \
    ConnectionStrings__Qualiz="Host=127.0.0.1;Port=$postgres_port;Username=qualiz;Database=openapi" \
    setsid dotnet "$(binary Qualiz.Standalone debug)" >"$log" 2>&1 </dev/null &
  pid=$!
  for _ in {1..300}; do
    [ "$(http_status "$free" /health/ready)" != 200 ] && [ -e "/proc/$pid" ] || break
    sleep 0.2
  done
  if ! QUALIZ_URL=http://127.0.0.1:$free timeout 60 dotnet "$(binary Qualiz.Cli debug qualiz-cli)" openapi "$results/openapi.json" >>"$log" 2>&1; then
    line FAILED openapi "$begun" "the host did not start: $log"
  elif ! diff -u "$root/contracts/openapi.json" "$results/openapi.json" >"$results/openapi.diff"; then
    line FAILED openapi "$begun" "contracts/openapi.json is not what the code says; run ./qualiz openapi and check it in"
    head -n 30 "$results/openapi.diff"
  else
    line ok openapi "$begun"
  fi
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

run_tests() {
  need_sdk
  local suites=("$@") name
  [ $# -gt 0 ] || mapfile -t suites < <(suite_names)
  for name in "${suites[@]}"; do
    compgen -G "$root/tests/$name/*.Tests.csproj" >/dev/null || die "no suite '$name'; there are: $(suite_names | tr '\n' ' ')" 2
  done
  need_postgres
  need_rabbitmq
  need_smtp

  # Not local: the trap needs them after this function has ended.
  folder='' mark='' results=$home/test-results
  local passed=0 failed=0 skipped=0
  folder=$(mktemp -d "${TMPDIR:-/tmp}/qualiz-test.XXXXXX")
  chmod 755 "$folder"
  mark=$(basename "$folder")
  rm -rf "$results"
  mkdir -p "$results" "$logs"
  trap '[ ! -d "$folder" ] || touch "$folder/finished"; wait "$watcher" 2>/dev/null || true' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  (watch_over "$folder" "$mark" $$) >/dev/null 2>&1 </dev/null &
  watcher=$!

  say "building"
  cd "$root"
  bounded 1500 dotnet build Qualiz.sln -c Debug -v quiet -clp:NoSummary --disable-build-servers >"$logs/test-build.log" 2>&1 \
    || { grep -E 'error|warn' "$logs/test-build.log" | sort -u | head -n 30; die "the build failed; see $logs/test-build.log"; }

  if [ $# -eq 0 ]; then
    local begun=$SECONDS
    if bounded 900 dotnet format Qualiz.sln --verify-no-changes --no-restore >"$results/format.log" 2>&1; then
      line ok format "$begun"
    else
      line FAILED format "$begun" "run: dotnet format"
      head -n 20 "$results/format.log"
    fi
  fi

  local postgres_port=
  if [ -z "${QUALIZ_TEST_POSTGRES:-}" ]; then
    find_free_port $((21000 + RANDOM % 4000))
    postgres_port=$free
    "$root/infra/local/postgres.sh" start "$folder/postgres" "$free" || die "PostgreSQL did not start"
    export QUALIZ_TEST_POSTGRES="Host=127.0.0.1;Port=$free;Username=qualiz;Database=postgres"
  fi
  if [ -z "${QUALIZ_TEST_RABBITMQ:-}" ]; then
    find_free_port $((25000 + RANDOM % 4000))
    "$root/infra/local/rabbitmq.sh" start "$folder/rabbitmq" "$free" || die "RabbitMQ did not start"
    export QUALIZ_TEST_RABBITMQ="amqp://guest:guest@127.0.0.1:$free" QUALIZ_TEST_RABBITMQ_FOLDER="$folder/rabbitmq"
  fi

  if [ $# -eq 0 ] && [ -n "$postgres_port" ]; then check_documents; fi
  for name in "${suites[@]}"; do run_suite "$name"; done
  touch "$folder/finished"
  wait "$watcher" 2>/dev/null || true
  say "$passed passed, $failed failed, $skipped skipped"
  trap - ERR
  exit $((failed > 0))
}
