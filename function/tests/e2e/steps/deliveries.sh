# shellcheck shell=bash
# Each signed webhook becomes one message; forged, unsigned and oversized webhooks are rejected without a message.

ensure_deployment
result=$(fake_gitlab send "$webhook_url" --count 20 --chat "$chat_url")
expect_delivered "20 signed webhooks" 20 "$result"

expect_rejected() { # WHAT STATUS OPTION…
  local what=$1 status=$2 result; shift 2
  result=$(fake_gitlab send "$webhook_url" --chat "$chat_url" "$@")
  expect_equal "$what: answered" "{'$status': 1}" "$(json_value answers <<< "$result")"
  expect_equal "$what: not stored" 1 "$(json_value stored.never <<< "$result")"
}
expect_rejected "a forged signature" 401 --proof forged
expect_rejected "no signature" 401 --proof none

# The response is sent before the whole body is read, so that some clients see only a closed connection.
result=$(fake_gitlab send "$webhook_url" --chat "$chat_url" --bytes 26214401)
expect_equal "a body of more than 25 MiB: not stored" 1 "$(json_value stored.never <<< "$result")"
logged_too_large() { pods -o name | xargs -n 1 kubectl -n "$app_namespace" logs | contains '"reason":"too_large","status":413'; }
expect "a body of more than 25 MiB: the log has the response 413" logged_too_large
result=$(fake_gitlab send "$webhook_url" --bytes 1048576 --chat "$chat_url")
expect_delivered "a webhook of 1 MiB" 1 "$result"
expect_equal "violations of the Rocket.Chat API" "[]" "$(inspect_rocketchat violations)"
