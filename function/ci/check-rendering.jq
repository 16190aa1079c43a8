# What a rendering deploys and what is wrong with it. Contacts no cluster; the script of the same name describes the arguments and
# the output.

# Names that RFC 2606 and addresses that RFC 5737 reserve for documentation, and names that begin with example-, as those in the
# examples. Other names may contain them, such as my-example.com or example-company.com.
def documentation:
  # Each contains one of these texts. Few strings do, and compiling the expression for each would take most of the time.
  ascii_downcase as $lower
  | select(any("example", "192.0.2.", "198.51.100.", "203.0.113."; . as $part | $lower | index($part)))
  | match(
    "[a-z0-9./:-]*(?<![a-z0-9-])example\\.(com|org|net)(?![a-z0-9-])"
    + "|[a-z0-9./:-]+\\.example(?![a-z0-9.-])"
    + "|(?<![0-9.])(192\\.0\\.2|198\\.51\\.100|203\\.0\\.113)\\.[0-9]{1,3}(?![0-9])(/[0-9]+)?"
    + "|(?<![a-z0-9._/-])example-[a-z0-9-]+(?!\\.?[a-z0-9-])"; "gi").string;
# kustomize wraps base64 at 70 characters. Invalid base64 is left unchanged; the cluster rejects it.
def plain: gsub("\\s"; "") as $raw | try ($raw | @base64d) catch $raw;
def decoded: if .kind == "Secret" then . + {data: ((.data // {}) | with_entries(.value |= (. // "" | tostring)) | with_entries({key, value: (.value | plain)}))} else . end;
def content: ((.data // {}) + (.stringData // {})) | map_values(. // "" | tostring);
def object: "\(.kind) \(.metadata.name)";

($public | [split("\n")[]] | map(select(. != "" and (startswith("#") | not)) | ltrimstr("whsec_"))) as $keys
| [inputs | decoded] as $objects
| ($objects + ($existing | map(decoded))) as $known
| def is_object($kind; $name; $namespace): .kind == $kind and .metadata.name == $name and .metadata.namespace == $namespace;
  def known($kind; $name; $namespace): first($known[] | select(is_object($kind; $name; $namespace))) // null;

# The workloads of the function and of `webhook-app reconcile`, each with the settings that its container gets.
  [ $objects[] | . as $workload | .metadata.namespace as $namespace | .spec.template.spec.containers[]? | select(.image == $image)
    | { workload: $workload, reconciles: (.args[0]? == "reconcile"),
        # The content of a Secret that is only in the cluster is not known without it.
        sealed: ([.envFrom[]?.secretRef.name | select(. != null) | known("Secret"; .; $namespace) == null] | any),
        settings: (
          ([.envFrom[]? | if .configMapRef then known("ConfigMap"; .configMapRef.name; $namespace) else known("Secret"; .secretRef.name; $namespace) end
            | select(. != null) | content] | add // {})
          + ([.env[]? | {(.name): (.value // (if .valueFrom then "set elsewhere" else "" end))}] | add // {})) } ] as $found

# Every Secret and ConfigMap of a pod. One that is optional is needed only where the settings are: webhook-app starts
# without it to report all missing settings at once.
| def references:
    .metadata.namespace as $namespace
    | .spec.template.spec as $pod
    | def reference($kind): {kind: $kind, name: ., namespace: $namespace};
      ( $pod.containers[] | (.envFrom[]? | (.secretRef.name // empty | reference("Secret")), (.configMapRef.name // empty | reference("ConfigMap"))),
          (.env[]?.valueFrom | objects | (.secretKeyRef | objects | select(.optional | not) | .name | reference("Secret")),
            (.configMapKeyRef | objects | select(.optional | not) | .name | reference("ConfigMap"))) ),
      ( $pod.volumes[]? | ., .projected.sources[]? | (.secret | objects | select(.optional | not) | (.secretName // .name) | reference("Secret")),
          (.configMap | objects | select(.optional | not) | .name | reference("ConfigMap")) ),
      ( ($pod, ($objects[] | select(is_object("ServiceAccount"; $pod.serviceAccountName; $namespace)))) | .imagePullSecrets[]?.name | reference("Secret") );
  # What creates a Secret: the External Secrets Operator or Sealed Secrets.
  def creator: . as $reference | first($objects[] | select($reference.kind == "Secret" and .metadata.namespace == $reference.namespace
      and ((.kind == "ExternalSecret" and (.spec.target.name // .metadata.name) == $reference.name)
        or (.kind == "SealedSecret" and (.spec.template.metadata.name // .metadata.name) == $reference.name))) | object) // null;
  [$found[].workload | references | . as $reference
    | select([$objects[] | is_object($reference.kind; $reference.name; $reference.namespace)] | any | not)
    | . + {creator: creator}] as $needs

| def is_set($name): ((.settings[$name] // "") | test("\\S")) or ((.settings[$name + "_FILE"] // "") | test("\\S"));
  def missing($names; $advice): select([is_set($names[])] | any | not)
    | "\(.workload | object): expected a value for \($names | join(" or ")), found none; \($advice)";
  [ ($objects[] | select(.metadata.namespace == null)
      | "\(object): expected a namespace, found none; an administrator applies objects of the whole cluster, as in k8s-base/setup; for others, set namespace in the overlay"),
    ($known[] | . as $object | paths as $path
      | ($path | map(tostring) | join(".")) as $place
      | ($path[-1] | strings | documentation | "\($object | object), \($place): \(.) is an example; replace it with yours"),
        (getpath($path) | strings
          | (documentation | "\($object | object), \($place): \(.) is an example; replace it with yours"),
            (. as $value | select($allow_test_credentials != "1" and any($keys[]; . as $key | $value | contains($key)))
              | "\($object | object), \($place): this key or token is published in this repository, so anyone has it; create a new one"))),
    ($known[] | select(.kind == "Secret" or .kind == "ConfigMap") | . as $object | content
      | to_entries[] | select($allow_test_credentials != "1" and (.key | IN("GITLAB_SIGNING_KEYS", "GITLAB_WEBHOOK_TOKENS", "ROCKETCHAT_AUTH_TOKEN")) and (.value | test("(^|[,\\s])canary-")))
      | "\($object | object), data.\(.key): it begins with canary-, as the tokens of the tests do; create a new one"),
    ($found[] | select(.reconciles)
      | missing(["GITLAB_URL"]; "set the address of GitLab in the ConfigMap"),
        missing(["HOOKS"]; "set the webhooks in the ConfigMap"),
        (select(.sealed | not) | missing(["GITLAB_API_TOKEN"]; "set the token of the bot in GitLab in the Secret"))),
    ($found[] | select(.reconciles | not) | missing(["ROCKETCHAT_URL"]; "set the address of your chat server in the ConfigMap"),
      missing(["ROCKETCHAT_RECIPIENT", "ROUTES"]; "set one of them in the ConfigMap")),
    ($found[] | select(.reconciles or .sealed | not)
      | missing(["ROCKETCHAT_USER_ID"]; "set the user id of the bot in the Secret"),
        missing(["ROCKETCHAT_AUTH_TOKEN"]; "set the token of the bot in the Secret"),
        (select(.settings.ALLOW_UNAUTHENTICATED != "true")
          | missing(["GITLAB_SIGNING_KEYS", "GITLAB_WEBHOOK_TOKENS"]; "set the signing key of the webhook in the Secret"))),
    # The HorizontalPodAutoscaler sets the number of pods, except if somebody has set it to 0.
    ($found[].workload | . as $workload
      | [.spec.replicas, ($existing[] | select(is_object($workload.kind; $workload.metadata.name; $workload.metadata.namespace)) | .spec.replicas)]
      | select(map(values)[0] == 0)
      | "\($workload | object): expected at least one replica, found 0, with which nothing receives webhooks; remove replicas from the overlay, and scale what is in the cluster to 1"),
    (select([$found[] | select(.reconciles | not)] == []) | "expected a Deployment or a Knative Service with the image \($image), found none; give a folder with one") ]
| { workloads: [$found[].workload | {kind, name: .metadata.name, namespace: .metadata.namespace}] | unique,
    needs: ($needs | unique),
    problems: unique }
