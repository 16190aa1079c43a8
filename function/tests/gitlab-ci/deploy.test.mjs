// Tests of the deployment jobs, executed in a shell by gitlab-ci-local. No cluster is used: the deployment is a dry run, and
// a recording kubectl answers for a review app.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { KEY, deployed, gitlab, overlay, project, without } from "./harness.mjs";

const IMAGE = `registry.acme.test/acme/rocket@sha256:${"5".repeat(64)}`;
const CLUSTER = { IMAGE, KUBE_CONTEXT: "acme/agent:production", CI_REGISTRY_IMAGE: "registry.acme.test/acme/rocket" };
const skip = without("kubectl", "jq");

test("the job production deploys the image by digest", { skip }, async (t) => {
  const place = project(t);
  for (const base of ["k8s-base", "knative"]) {
    const DEPLOY_OVERLAY = `overlays/${base}`;
    overlay(place, DEPLOY_OVERLAY, base);
    const { code, output } = await gitlab(place, ["production", "--no-needs"], { ...CLUSTER, DEPLOY_OVERLAY, DRY_RUN: 1 });
    assert.equal(code, 0, output);
    assert.equal(output.match(/image: (\S+)/g)?.length, 1, output);
    assert.ok(output.includes(`image: ${IMAGE}`), output);
  }
});

test("the job production rejects the example settings", { skip }, async (t) => {
  const variables = { ...CLUSTER, DEPLOY_OVERLAY: "k8s-base", DRY_RUN: 1 };
  const { code, output } = await gitlab(project(t), ["production", "--no-needs"], variables);
  assert.notEqual(code, 0, output);
  assert.match(output, /nothing was applied/);
  assert.match(output, /chat\.example\.com/);
});

test("the job staging rejects an image by tag", async (t) => {
  const variables = { ...CLUSTER, IMAGE: "registry.example.org/acme/rocket:main", STAGING_OVERLAY: "k8s-base" };
  const { code, output } = await gitlab(project(t), ["staging", "--no-needs"], variables);
  assert.notEqual(code, 0);
  assert.match(output, /expected an image by digest/);
});

/** A kubectl that renders, and records the objects it applies and the namespaces it deletes. */
function recordKubectl({ folder }) {
  const script = `#!/bin/sh
case " $* " in *" kustomize "* | *" --local "* | *" --dry-run=client "*) PATH=\${PATH#*:} exec kubectl "$@" ;; esac
echo "kubectl $*" >> ${folder}/calls
while [ $# -gt 0 ]; do
  case $1 in --filename) if [ "$2" = - ]; then cat; else cat "$2"; fi >> ${folder}/applied ;; esac
  shift
done
`;
  writeFileSync(join(folder, "bin/kubectl"), script, { mode: 0o755 });
  return (name) => readFileSync(join(folder, name), "utf8");
}

const REVIEW = { ...CLUSTER, REVIEW_OVERLAY: "overlays/review", CI_PIPELINE_SOURCE: "merge_request_event", CI_MERGE_REQUEST_IID: 7 };

test("a review app has a separate namespace, and stopping it deletes only that", { skip }, async (t) => {
  const place = project(t);
  overlay(place, "overlays/review", "k8s-base");
  const recorded = recordKubectl(place);
  const variables = { ...REVIEW, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: 42, DRY_RUN: 1 };
  const { code, output } = await gitlab(place, ["review", "--no-needs"], variables);
  assert.equal(code, 0, output);
  assert.match(recorded("applied"), /kind: Namespace\nmetadata:\n  name: webhook-app-review-7\n/);
  const namespaces = new Set([...output.matchAll(/\bnamespace: (\S+)/g)].map(([, name]) => name));
  assert.deepEqual([...namespaces], ["webhook-app-review-7"]);
  assert.ok(output.includes(`image: ${IMAGE}`), output);

  const stopped = await gitlab(place, ["stop-review", "--no-needs"], variables);
  assert.equal(stopped.code, 0, stopped.output);
  assert.match(recorded("calls"), / delete namespace --selector webhook-app-review=7 /);
});

test("the smoke test passes for a deployed function and sends no message", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  const variables = { ...CLUSTER, STAGING_OVERLAY: "overlays/staging", STAGING_URL: app.url, GITLAB_SIGNING_KEY: KEY };
  const { code, output } = await gitlab(place, ["smoke", "--no-needs"], variables);
  assert.equal(code, 0, output);
  assert.match(output, /rejects deliveries without a signature and accepts signed ones/);
  assert.deepEqual(await app.messages(), []);
});

test("the smoke test fails for another key, and for a function that accepts anything", async (t) => {
  const variables = { ...CLUSTER, STAGING_OVERLAY: "overlays/staging", GITLAB_SIGNING_KEY: `whsec_${Buffer.alloc(32, 7).toString("base64")}` };
  for (const [settings, part] of [
    [{}, /with a signature: expected status 204, found 401; is GITLAB_SIGNING_KEY/],
    [{ ALLOW_UNAUTHENTICATED: "true", GITLAB_SIGNING_KEYS: "" }, /without a signature: expected status 401, found 204/],
  ]) {
    const [place, app] = [project(t), await deployed(t, settings)];
    const { code, output } = await gitlab(place, ["smoke", "--no-needs"], { ...variables, STAGING_URL: app.url });
    assert.notEqual(code, 0, output);
    assert.match(output, part);
  }
});
