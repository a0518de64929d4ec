# Sourced by ./qualiz: the documents that are generated from the code and checked in beside the contracts.

openapi() {
  local check='' target=$root/contracts document
  case ${1:-} in
    '') ;;
    --check) check=1; target=$(mktemp -d) ;;
    *) die "openapi takes --check or nothing" 2 ;;
  esac
  need_sdk
  if [ -z "$(running_processes)" ]; then
    trap 'code=$?; trap "" INT TERM; tear_down; exit "$code"' EXIT
    bring_up standalone 1
  else
    build Release cli
  fi
  cli openapi "$target/openapi.json"
  cli schema "$target/pipeline.schema.json"
  [ -n "$check" ] || { say "written: contracts/openapi.json, contracts/pipeline.schema.json"; return; }
  for document in openapi.json pipeline.schema.json; do
    diff -u "$root/contracts/$document" "$target/$document" >&2 || die "contracts/$document is not what the code says; run ./qualiz openapi and check it in"
  done
  rm -rf "$target"
  say "the checked-in documents are current"
}
