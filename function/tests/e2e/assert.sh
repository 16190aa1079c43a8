# shellcheck shell=sh
# Prints progress, asserts and waits. Independent of Kubernetes. The functions in parentheses run in a subshell, which keeps
# their variables private; a failure in it ends the script because of `set -e`.

heading() { printf '\n=== %s\n' "$*"; }
info() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
# Seconds of a clock, to measure how long something takes.
now() { date +%s; }

# WHAT COMMAND…: fails unless the command succeeds; prints WHAT.
expect() (
  what=$1; shift
  "$@" > /dev/null 2>&1 || fail "$what ($*)"
  info "ok: $what"
)

# WHAT EXPECTED FOUND: fails unless the values are equal.
expect_equal() {
  [ "$2" = "$3" ] || fail "$1: expected $2, found $3"
  info "ok: $1: $3"
}

# SECONDS WHAT COMMAND…: retries every second until the command succeeds; prints how long it took.
wait_until() (
  seconds=$1 what=$2 start=$(now); shift 2
  until "$@" > /dev/null 2>&1; do
    [ $(($(now) - start)) -lt "$seconds" ] || fail "$what: not within $seconds s"
    sleep 1
  done
  info "ok: $what, after $(($(now) - start)) s"
)

# WHAT DURATION NAME COMMAND…: says what takes how long, and writes the output to a log, whose end it prints if the command
# fails.
run_logged() (
  what=$1 duration=$2 log=$work/$3.log start=$(now); shift 3
  info "$what: usually takes $duration; log: $log"
  "$@" > "$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "$what: the command failed: $*; the full log is $log"
  }
  info "ok: $what, after $(($(now) - start)) s"
)

# Like grep -q, but reads all input: with pipefail, a writer must not fail with SIGPIPE after the first match.
contains() { grep "$@" > /dev/null; }

# PATH: prints one value of the JSON on standard input, such as answers.200, or `none` if it is missing.
json_value() {
  python3 -c 'import functools, json, sys
step = lambda found, key: found.get(key, "none") if isinstance(found, dict) else "none"
print(functools.reduce(step, sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
