# Sourced by ./qualiz: measures a Release build against servers of its own.

bench() {
  need_sdk
  need_postgres
  need_rabbitmq
  [ -d "$root/tests/Benchmarks" ] || die "there are no benchmarks yet"
  lock 5 # what an instance does meanwhile would be measured too
  [ -z "$(running_processes)" ] || die "an instance is running and would be measured too: ./qualiz down first"
  build Release services/Standalone cli tests/Benchmarks
  folder=$(mktemp -d "${TMPDIR:-/tmp}/qualiz-bench.XXXXXX")
  chmod 755 "$folder"
  trap '"$root/infra/local/rabbitmq.sh" stop "$folder/rabbitmq" >/dev/null 2>&1; "$root/infra/local/postgres.sh" stop "$folder/postgres"; rm -rf "$folder"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  find_free_port 26432
  "$root/infra/local/postgres.sh" start "$folder/postgres" "$free" $$ 9>&-
  export QUALIZ_TEST_POSTGRES="Host=127.0.0.1;Port=$free;Username=qualiz;Database=postgres"
  find_free_port 26672
  "$root/infra/local/rabbitmq.sh" start "$folder/rabbitmq" "$free" $$ 9>&-
  export QUALIZ_TEST_RABBITMQ="amqp://guest:guest@127.0.0.1:$free" QUALIZ_BENCH_FOLDER="$folder/scratch"
  dotnet "$(binary Qualiz.Benchmarks)" "$@" 9>&-
}
