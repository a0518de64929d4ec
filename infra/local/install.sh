# Sourced by ./qualiz: what the machine needs, and the build.

sdk_present() { command -v dotnet >/dev/null && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; }

need_sdk() {
  sdk_present || die "the .NET SDK 10 is missing: install it (https://dot.net) and make sure that 'dotnet' is on the PATH" 5
}

postgres_installed() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null; }
rabbitmq_installed() { compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*' >/dev/null; }

install_packages() { # PACKAGE...: as root by apt-get, otherwise says what to do
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    die "missing: $*. Install it (Debian, Ubuntu: sudo apt-get install $*) or give the address of a server (docs/operate.md)" 5
  fi
  say "installing $* (apt-get)"
  mkdir -p "$logs"
  # The packages would start servers of their own on the well-known ports. Nothing may start while they are set up.
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; made=1; fi
  { apt-get update -qq || true; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    >"$logs/apt.log" 2>&1 </dev/null && local done=1
  [ -z "$made" ] || rm -f "$policy"
  [ -n "${done:-}" ] || { tail -n 15 "$logs/apt.log" >&2; die "apt-get could not install $*; see $logs/apt.log" 5; }
}

need_postgres() { postgres_installed || install_packages postgresql; }
need_smtp() { /usr/bin/python3 -c "import aiosmtpd" 2>/dev/null || install_packages python3-aiosmtpd; } # a receiver of test mails
need_rabbitmq() { rabbitmq_installed || install_packages rabbitmq-server; }

binary() { printf '%s' "$root/artifacts/bin/$1/${2:-release}/${3:-$1}.dll"; }

build() { # CONFIGURATION PROJECT...: builds what is older than its sources
  local configuration=$1 project stamp
  shift
  mkdir -p "$logs" "$root/artifacts/.built"
  # Two commands at once must not build the same thing; the second finds it built.
  exec 8>"$root/artifacts/.built/lock"
  flock 8
  for project in "$@"; do
    stamp=$root/artifacts/.built/$configuration-$(basename "$project")
    if [ -e "$stamp" ] && [ -z "$(find "$root"/Directory.* "$root/global.json" "$root/contracts" "$root/services" \
      "$root/gateway" "$root/cli" "$root/tests" -newer "$stamp" \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.targets' -o -name '*.sql' \
      -o -name '*.json' -o -type d \) -print -quit)" ]; then
      continue
    fi
    warn "building $project ($configuration)"
    touch "$stamp.begun"
    (cd "$root" && dotnet build "$project" -c "$configuration" -v quiet -clp:NoSummary --disable-build-servers) >"$logs/build.log" 2>&1 </dev/null 8>&- 9>&- \
      || { grep -E 'error|warn' "$logs/build.log" | sort -u | head -n 20 >&2; die "the build failed; see $logs/build.log"; }
    mv "$stamp.begun" "$stamp"
  done
  exec 8>&-
}
