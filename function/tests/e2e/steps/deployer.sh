# shellcheck shell=bash
# The deploy script with the account of k8s-base/setup/deployer, for both packagings: it deploys, undoes a rollout that fails and
# says why, rolls the pods when the Secret changes, and removes old ConfigMaps. The account can do nothing else.

# What an administrator prepares.
delete_app
apply deployer
deployer=$work/deployer.kubeconfig
rm -f "$deployer"
kubectl config view --minify --flatten --raw -o json | python3 -c 'import json, sys
config = json.load(sys.stdin)
config["users"] = [{"name": user["name"], "user": {"token": sys.argv[1]}} for user in config["users"]]
json.dump(config, sys.stdout)' "$(kubectl -n "$app_namespace" create token webhook-app-deployer --duration=1h)" > "$deployer"
as_deployer() { KUBECONFIG=$deployer "$@"; }

# WHAT STATUS OVERLAY: runs the deploy script, which must exit with the status.
expect_deploy() {
  local status=0
  # The keys of the fakes are published in this repository.
  as_deployer env ALLOW_TEST_CREDENTIALS=1 "$root/function/ci/deploy" "$IMAGE" "$here/overlays/$3" > "$work/deploy.log" 2>&1 || status=$?
  [[ $status == "$2" ]] || { cat "$work/deploy.log" >&2; fail "$1: expected the exit status $2, found $status"; }
  info "ok: $1: exit status $status"
}
expect_logged() { expect "the script says: $1" contains -F -- "$1" "$work/deploy.log"; }
# WHAT: webhooks are delivered, for Knative through its ingress.
webhooks() {
  local to=("$webhook_url")
  [[ $packaging == deployment ]] || to=("http://${KNATIVE_INGRESS:-kourier.kourier-system.svc}/webhook" --host "$(kubectl -n "$app_namespace" get ksvc webhook-app -o jsonpath='{.status.url}' | sed 's#^https*://##')")
  expect_delivered "webhooks $1" 5 "$(fake_gitlab send "${to[@]}" --count 5 --chat "$chat_url")"
}

deploy_and_undo() {
  expect_deploy "deployer-$packaging, for the first time" 0 "deployer-$packaging"
  webhooks "after the deployment"
  expect_deploy "deployer-$packaging with a setting that the program rejects" 10 "deployer-$packaging-rejected"
  expect_logged 'DELIVERY_TIMEOUT_SECONDS: expected an integer'
  expect_logged "rolled back"
  webhooks "after the rollback"
}

packaging=deployment
deploy_and_undo
mapfile -t old_pods < <(active_pods)
# A second key, as in a rotation.
keys=$(kubectl -n "$app_namespace" get secret webhook-app -o jsonpath='{.data.GITLAB_SIGNING_KEYS}' | base64 -d)
kubectl -n "$app_namespace" patch secret webhook-app --type merge --patch "{\"stringData\": {\"GITLAB_SIGNING_KEYS\": \"$keys,whsec_$(openssl rand -base64 32)\"}}" > /dev/null
kubectl -n "$app_namespace" create configmap webhook-app-2222222222 > /dev/null
expect_deploy "the same overlay with a changed Secret" 0 deployer-deployment
replaced() { ! active_pods | contains -xF "${old_pods[0]}"; }
wait_until 60 "the changed Secret replaced the pods" replaced
removed() { [[ -z $(kubectl -n "$app_namespace" get configmap webhook-app-2222222222 --ignore-not-found -o name) ]]; }
expect "the ConfigMap that no revision uses is removed" removed
webhooks "with the changed Secret"

# ARGUMENT…: kubectl as the deployer is forbidden to do it.
forbidden() { ! as_deployer kubectl "$@" > "$work/forbidden.log" 2>&1 && contains -i forbidden "$work/forbidden.log"; }
expect "the deployer cannot list Secrets" forbidden -n "$app_namespace" get secrets
expect "the deployer cannot read Secrets elsewhere" forbidden -n "$gitlab_namespace" get secret webhook-app
expect "the deployer cannot read pods elsewhere" forbidden -n "$gitlab_namespace" get pods
expect "the deployer cannot read nodes" forbidden get nodes
expect "the deployer cannot create a namespace" forbidden create namespace "$app_namespace-deployer" --dry-run=server
expect "the deployer cannot apply elsewhere" forbidden -n "$gitlab_namespace" create configmap x --dry-run=server
expect "the deployer cannot extend its Role" forbidden -n "$app_namespace" patch role webhook-app-deployer --type merge --patch '{"rules": []}' --dry-run=server
expect "the deployer cannot delete the Deployment" forbidden -n "$app_namespace" delete deployment webhook-app --dry-run=server
for action in "create pods" "create pods --subresource=exec" "create pods --subresource=portforward" "get pods --subresource=log" \
  "create serviceaccounts --subresource=token" "create rolebindings" "create secrets" "delete services" "create clusterroles"; do
  read -ra words <<< "$action"
  expect_equal "the deployer may $action" no "$(as_deployer kubectl -n "$app_namespace" auth can-i "${words[@]}" 2> /dev/null || true)"
done

if ! serves serving.knative.dev/v1; then
  skip "deployer, Knative" "the cluster has no Knative Serving"
  return 0
fi
delete_app
apply deployer
kubectl -n "$app_namespace" create token webhook-app-deployer --duration=1h > "$work/token"
python3 -c 'import json, sys
config = json.load(open(sys.argv[1]))
config["users"][0]["user"]["token"] = open(sys.argv[2]).read().strip()
json.dump(config, open(sys.argv[1], "w"))' "$deployer" "$work/token"
packaging=knative
deploy_and_undo
delete_app
