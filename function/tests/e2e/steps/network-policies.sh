# shellcheck shell=bash
# The NetworkPolicies block connections that are not allowed, and none that are needed or belong to other programs.

ensure_deployment
pod_address=$(pods -o jsonpath='{.items[0].status.podIP}')
other_address=$(kubectl -n "$other_namespace" get pod other -o jsonpath='{.status.podIP}')

# SOURCE TARGET STATE COMMAND…: the command, given the target, prints whether it is open or closed.
expect_reachability() {
  local source=$1 target=$2 state=$3; shift 3
  expect_equal "$source → $target" "$state" "$("$@" "$target" | cut -d ' ' -f 1)"
}
connect_from() { kubectl -n "$1" exec "$2" -- /bin/fake-gitlab reach "$3"; }
expect_reachability "GitLab" "webhook-app.$app_namespace.svc:80" open connect_from "$gitlab_namespace" sender
expect_reachability "GitLab" "$pod_address:9464" closed connect_from "$gitlab_namespace" sender
expect_reachability "the monitoring namespace" "$pod_address:9464" open connect_from "$monitoring_namespace" scraper
expect_reachability "the monitoring namespace" "$pod_address:8080" closed connect_from "$monitoring_namespace" scraper
expect_reachability "another namespace" "webhook-app.$app_namespace.svc:80" closed connect_from "$other_namespace" other
expect_reachability "another namespace" "$pod_address:8080" closed connect_from "$other_namespace" other
expect_reachability "another namespace" "$pod_address:9464" closed connect_from "$other_namespace" other

# Other programs in the namespace of webhook-app: no policy selects their pods.
apply other-programs
kubectl -n "$app_namespace" wait --for=condition=Ready pod/solver pod/proxy --timeout=120s > /dev/null
address_of() { kubectl -n "$app_namespace" get pod "$1" -o jsonpath='{.status.podIP}'; }
expect_reachability "another namespace → the solver of certificates" "$(address_of solver):8089" open connect_from "$other_namespace" other
expect_reachability "another namespace → a proxy" "$(address_of proxy):8443" open connect_from "$other_namespace" other
expect_reachability "a proxy" "$other_address:3000" open connect_from "$app_namespace" proxy
expect_reachability "a proxy" "webhook-app.$app_namespace.svc:80" open connect_from "$app_namespace" proxy
expect_reachability "a proxy" "$pod_address:9464" closed connect_from "$app_namespace" proxy
expect_reachability "the solver of certificates" "webhook-app.$app_namespace.svc:80" closed connect_from "$app_namespace" solver
delete_overlay other-programs

# From an ephemeral container in the pod, because the image has no program that opens connections.
pod=$(active_pods | sed -n 1p)
kubectl -n "$app_namespace" debug "$pod" --image="$FAKES_IMAGE" --profile=restricted --container=reach --quiet -- \
  /bin/fake-gitlab reach "rocketchat.$chat_namespace.svc:3000" "$other_address:3000" > "$work/debug.log" 2>&1 ||
  { cat "$work/debug.log" >&2; fail "could not add an ephemeral container to $pod"; }
reach_finished() { kubectl -n "$app_namespace" logs "$pod" -c reach | grep -c . | contains -x 2; }
wait_until 30 "the ephemeral container has finished" reach_finished
states=$(kubectl -n "$app_namespace" logs "$pod" -c reach | cut -d ' ' -f 1 | paste -sd ' ')
expect_reachability "GitLab" "$other_address:3000" open connect_from "$gitlab_namespace" sender
expect_equal "webhook-app → Rocket.Chat, and the same port in another namespace" "open closed" "$states"
