# Turns cargo's JSON messages into the Code Climate format that GitLab shows in merge requests.
# usage: jq --slurp --from-file codequality.jq < MESSAGES
map(select(.reason == "compiler-message") | .message | select(.code != null)
  | . as $message | first(.spans[] | select(.is_primary))
  | {
      description: $message.message,
      check_name: $message.code.code,
      # GitLab compares the findings of two pipelines by it, so it has no line number.
      fingerprint: ("\($message.code.code) \(.file_name) \(.text[0].text // "" | sub("^\\s+"; "")) \($message.message)" | @base64),
      severity: (if $message.level == "error" then "major" else "minor" end),
      location: {path: .file_name, lines: {begin: .line_start}}
    })
| unique_by(.fingerprint)
