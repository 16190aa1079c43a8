# Prints progress, asserts and waits. Independent of Kubernetes.

heading() { printf '\n=== %s\n' "$*"; }
info() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# WHAT COMMAND…: fails unless the command succeeds; prints WHAT.
expect() {
  local what=$1; shift
  "$@" > /dev/null 2>&1 || fail "$what ($*)"
  info "ok: $what"
}

# WHAT EXPECTED FOUND: fails unless the values are equal.
expect_equal() {
  [[ $2 == "$3" ]] || fail "$1: expected $2, found $3"
  info "ok: $1: $3"
}

# SECONDS WHAT COMMAND…: retries every second until the command succeeds; prints how long it took.
wait_until() {
  local seconds=$1 what=$2 start=$SECONDS; shift 2
  until "$@" > /dev/null 2>&1; do
    ((SECONDS - start < seconds)) || fail "$what: not within $seconds s"
    sleep 1
  done
  info "ok: $what, after $((SECONDS - start)) s"
}

# Like grep -q, but reads all input: with pipefail, a writer must not fail with SIGPIPE after the first match.
contains() { grep "$@" > /dev/null; }

# PATH: prints one value of the JSON on standard input, such as answers.200, or `none` if it is missing.
json_value() {
  python3 -c 'import functools, json, sys
step = lambda found, key: found.get(key, "none") if isinstance(found, dict) else "none"
print(functools.reduce(step, sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
