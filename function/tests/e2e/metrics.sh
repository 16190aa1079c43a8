# shellcheck shell=sh
# Prometheus and prometheus-adapter for the steps that read metrics: those of the cluster, in the namespace `monitoring`, or
# those of the overlay `monitoring` until the end of the run.

adapter=/apis/custom.metrics.k8s.io/v1beta1/namespaces/$app_namespace

# Ensures that both run, or skips the step.
ensure_metrics() {
  if ! serves monitoring.coreos.com/v1; then
    skip "$step" "the cluster has no Prometheus operator"
    return 1
  fi
  # A cluster has one adapter, under a fixed name.
  if kubectl get apiservice v1beta1.custom.metrics.k8s.io > /dev/null 2>&1 && [ -z "$(kubectl get apiservice -l "$label" -o name)" ]; then
    prometheus_namespace=monitoring
    info "using the adapter of the cluster, which needs the rules of monitoring/prometheus-metrics-adaptor-values.yaml"
    return 0
  fi
  prometheus_namespace=$monitoring_namespace
  apply monitoring
  expect "the adapter is ready" kubectl -n "$monitoring_namespace" rollout status deployment/webhook-app-e2e-prometheus-adapter --timeout=300s
  # The cluster may have to pull its image.
  wait_until 300 "Prometheus answers a query" query_prometheus 'vector(1)'
}

# METRIC: whether the adapter has a value of it for a pod of webhook-app.
has_custom_metric() { kubectl get --raw "$adapter/pods/*/$1" | contains '"value"'; }
