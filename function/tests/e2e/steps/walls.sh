# The NetworkPolicies block what they should, and nothing that is needed.

plain
address=$(pods -o jsonpath='{.items[0].status.podIP}')
stranger=$(kubectl -n "$other_namespace" get pod stranger -o jsonpath='{.status.podIP}')

# WHO TARGET STATE COMMAND…: what the command says of the target.
wall() {
  local who=$1 target=$2 state=$3; shift 3
  same "$who → $target" "$state" "$("$@" "$target" | cut -d ' ' -f 1)"
}
from() { kubectl -n "$1" exec "$2" -- /bin/fake-gitlab reach "$3"; }
wall "GitLab" "webhook-app.$app_namespace.svc:80" open from "$gitlab_namespace" sender
wall "GitLab" "$address:9464" closed from "$gitlab_namespace" sender
wall "the monitoring namespace" "$address:9464" open from "$monitoring_namespace" webhook-app-reader
wall "the monitoring namespace" "$address:8080" closed from "$monitoring_namespace" webhook-app-reader
wall "a stranger" "webhook-app.$app_namespace.svc:80" closed from "$other_namespace" stranger
wall "a stranger" "$address:8080" closed from "$other_namespace" stranger
wall "a stranger" "$address:9464" closed from "$other_namespace" stranger

# From the function's own network, as the image itself has nothing to call with.
pod=$(staying | sed -n 1p)
kubectl -n "$app_namespace" debug "$pod" --image="$FAKES_IMAGE" --profile=restricted --container=reach --quiet -- \
  /bin/fake-gitlab reach "rocketchat.$chat_namespace.svc:3000" "$stranger:3000" > "$work/debug.log" 2>&1 ||
  { cat "$work/debug.log" >&2; fail "no container could be added to $pod"; }
reached() { kubectl -n "$app_namespace" logs "$pod" -c reach | grep -c . | has -x 2; }
within 30 "a container beside the function has looked around" reached
seen=$(kubectl -n "$app_namespace" logs "$pod" -c reach | cut -d ' ' -f 1 | paste -sd ' ')
wall "GitLab" "$stranger:3000" open from "$gitlab_namespace" sender
same "the function → Rocket.Chat, and the same port of a stranger" "open closed" "$seen"
