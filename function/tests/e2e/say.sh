# What a run prints, how it waits and how it fails. Knows nothing of clusters.

headline() { printf '\n=== %s\n' "$*"; }
say() { printf '%s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# WHAT COMMAND…: the command must succeed; what is printed is what was seen.
want() {
  local what=$1; shift
  "$@" > /dev/null 2>&1 || fail "$what ($*)"
  say "ok: $what"
}

# WHAT EXPECTED SEEN: for values.
same() {
  [[ $2 == "$3" ]] || fail "$1: expected $2, found $3"
  say "ok: $1: $3"
}

# SECONDS WHAT COMMAND…: tries every second until the command succeeds; says how long it took.
within() {
  local seconds=$1 what=$2 began=$SECONDS; shift 2
  until "$@" > /dev/null 2>&1; do
    ((SECONDS - began < seconds)) || fail "$what, not within $seconds s"
    sleep 1
  done
  say "ok: $what, after $((SECONDS - began)) s"
}

# As grep -q, but it reads to the end: whoever writes into the pipe must not fail because we have seen enough.
has() { grep "$@" > /dev/null; }

# PATH: one value out of JSON, such as answers.200; `none` when it is not there.
value() {
  python3 -c 'import functools, json, sys
step = lambda found, key: found.get(key, "none") if isinstance(found, dict) else "none"
print(functools.reduce(step, sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
