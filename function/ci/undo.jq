# What returns a workload to the revision before a deployment, for each kind as `kubectl rollout undo` does. Contacts no cluster.
# input: an array of the Deployment, StatefulSet or Knative Service before the deployment, or null if it did not exist, and of the present one
# output: `says`, and one of
#   status   0 if the deployment has not changed its pods, 12 if there is nothing to restore
#   patch    a JSON patch, which also restores the record of kubectl apply, because the next apply compares with it

"kubectl.kubernetes.io/last-applied-configuration" as $record
| .[1] as $present
| .[0]
| if . == null then
    {status: 12, says: "did not exist before, so there is nothing to restore; it is left for inspection"}
  elif .spec.template == $present.spec.template then
    {status: 0, says: "has the same pods as before, so there is nothing to restore"}
  # Kubernetes and Knative record that a revision has been complete, whatever happened to its pods later; not that of a StatefulSet.
  elif (if .kind == "Deployment" then any(.status.conditions[]?; .type == "Progressing" and .reason == "NewReplicaSetAvailable")
      elif .kind == "StatefulSet" then .status.currentRevision == .status.updateRevision and (.status.readyReplicas // 0) > 0
      else .status.latestCreatedRevisionName == .status.latestReadyRevisionName end) | not then
    {status: 12, says: "was not ready before, so there is nothing to restore; pods of older revisions keep serving"}
  else
    { says: "returns to the revision before",
      patch: [{op: "replace", path: "/spec/template", value: .spec.template},
        (select(.kind == "Service") | {op: "add", path: "/spec/traffic", value: .spec.traffic}),
        (.metadata.annotations[$record] // empty | {op: "add", path: "/metadata/annotations/\($record | sub("/"; "~1"))", value: .})] }
  end
