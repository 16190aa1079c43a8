# shellcheck shell=bash
# Counts the calls of the recording programs that change something, and kills the script that makes them, to show that it can
# be run again. Read by these programs, which set `line`, the call in words.
#   INTERRUPT   a number: kills after the effect of this call, which leaves the same as before the next one; `create`: kills
#               while a cluster is created

call_number=0
case " $line " in
  *" create "* | *" apply "* | *" patch "* | *" start "* | *" exec "* | *" build "* | *" push "* | *" delete "* | *" rm "*)
    call_number=$(($(cat "$STATE/calls" 2> /dev/null || echo 0) + 1))
    echo "$call_number" > "$STATE/calls"
    ;;
esac

# PLACE: kills the process group, which `timeout` has created for the command.
interrupt() { [[ ${INTERRUPT:-} != "$1" ]] || kill -9 0; }
trap 'interrupt "$call_number"' EXIT
