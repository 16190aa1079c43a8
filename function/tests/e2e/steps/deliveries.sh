# Signed webhooks from inside the cluster become one message each; what is forged, unsigned or too large does not.

plain
tally=$(gitlab send "$hook" --count 20 --chat "$chat")
delivered "20 signed webhooks" 20 "$tally"

refused() { # WHAT STATUS OPTION…
  local what=$1 status=$2 tally; shift 2
  tally=$(gitlab send "$hook" --chat "$chat" "$@")
  same "$what: answered" "{'$status': 1}" "$(value answers <<< "$tally")"
  same "$what: no message" 1 "$(value stored.never <<< "$tally")"
}
refused "a forged signature" 401 --proof forged
refused "no signature" 401 --proof none

# The answer comes before the body has been sent, and many a client then sees a broken connection only.
tally=$(gitlab send "$hook" --chat "$chat" --bytes 26214401)
same "a body of more than 25 MiB: no message" 1 "$(value stored.never <<< "$tally")"
too_large() { pods -o name | xargs -n 1 kubectl -n "$app_namespace" logs | has '"reason":"too_large","status":413'; }
want "a body of more than 25 MiB is refused with 413, as the log says" too_large
tally=$(gitlab send "$hook" --bytes 1048576 --chat "$chat")
delivered "a webhook of 1 MiB" 1 "$tally"
same "the chat stand-in has nothing to complain about" "[]" "$(standin violations)"
