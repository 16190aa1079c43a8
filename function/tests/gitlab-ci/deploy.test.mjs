// Tests of the deployment jobs, executed in a shell by gitlab-ci-local. No cluster is used: the deployment is a dry run, and
// a recording kubectl answers for a review app.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
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

const REVIEW = {
  ...CLUSTER,
  REVIEW_OVERLAY: "overlays/review",
  CI_PIPELINE_SOURCE: "merge_request_event",
  CI_MERGE_REQUEST_IID: 7,
  CI_MERGE_REQUEST_SOURCE_PROJECT_ID: 42,
};

/** A project with the overlay of review apps and a kubectl that records; `deploy` is real in a dry run, and records otherwise. */
function reviewed(t) {
  const place = project(t);
  overlay(place, REVIEW.REVIEW_OVERLAY, "k8s-base");
  const recorded = recordKubectl(place);
  const deploy = join(place.folder, "function/ci/deploy");
  renameSync(deploy, `${deploy}-real`);
  const script = `#!/bin/sh
here=$(dirname "$0")
[ "$DRY_RUN" != 1 ] || exec "$here/deploy-real" "$@"
echo "deploy $1" >> ${place.folder}/calls
kubectl kustomize "$2" > ${place.folder}/deployed
`;
  writeFileSync(deploy, script, { mode: 0o755 });
  place.commit("Record deployments", "--all");
  execFileSync("git", ["add", "--all", "function/ci"], { cwd: place.folder });
  return { place, recorded, calls: () => (existsSync(join(place.folder, "calls")) ? recorded("calls") : "") };
}

test("a review app has a separate namespace, and stopping it deletes only that", { skip }, async (t) => {
  const { place, recorded } = reviewed(t);
  const { code, output } = await gitlab(place, ["review", "--no-needs"], REVIEW);
  assert.equal(code, 0, output);
  assert.match(recorded("applied"), /kind: Namespace\nmetadata:\n  name: webhook-app-review-42-7\n/);
  const namespaces = new Set([...recorded("deployed").matchAll(/\bnamespace: (\S+)/g)].map(([, name]) => name));
  assert.deepEqual([...namespaces], ["webhook-app-review-42-7"]);
  assert.ok(recorded("calls").includes(`deploy ${IMAGE}`), recorded("calls"));
  assert.doesNotMatch(recorded("deployed"), /imagePullSecrets/);

  const stopped = await gitlab(place, ["stop-review", "--no-needs"], REVIEW);
  assert.equal(stopped.code, 0, stopped.output);
  assert.match(recorded("calls"), / delete namespace --selector webhook-app-review=42-7 /);
});

test("a review app of another project has another namespace", { skip }, async (t) => {
  const { place, recorded } = reviewed(t);
  const variables = { ...REVIEW, CI_PROJECT_ID: 43, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: 43 };
  for (const job of ["review", "stop-review"]) {
    const { code, output } = await gitlab(place, [job, "--no-needs"], variables);
    assert.equal(code, 0, output);
  }
  assert.match(recorded("applied"), /name: webhook-app-review-43-7\n/);
  assert.match(recorded("calls"), / --selector webhook-app-review=43-7 /);
});

test("a review app pulls from a private registry, and its overlay can be anywhere", { skip }, async (t) => {
  const { place, recorded } = reviewed(t);
  const REVIEW_PULL_SECRET = join(place.folder, "config.json");
  writeFileSync(REVIEW_PULL_SECRET, JSON.stringify({ auths: { "registry.acme.test": { auth: "Y2FuYXJ5OnRva2Vu" } } }));
  const elsewhere = { REVIEW_OVERLAY: join(place.folder, REVIEW.REVIEW_OVERLAY), REVIEW_PULL_SECRET };
  const { code, output } = await gitlab(place, ["review", "--no-needs"], { ...REVIEW, ...elsewhere });
  assert.equal(code, 0, output);
  assert.match(recorded("deployed"), /^imagePullSecrets:\n- name: gitlab-registry\nkind: ServiceAccount$/m);
  assert.match(recorded("applied"), /\n  name: gitlab-registry\n  namespace: webhook-app-review-42-7\ntype: kubernetes.io\/dockerconfigjson\n/);
  assert.doesNotMatch(output + recorded("calls"), /Y2FuYXJ5OnRva2Vu/);
});

test("a review app is checked before anything is applied", { skip }, async (t) => {
  const { place, calls } = reviewed(t);
  const file = join(place.folder, "wrong.json");
  writeFileSync(file, "[]");
  for (const [changed, ...parts] of [
    [{ IMAGE: "registry.acme.test/acme/rocket:main", REVIEW_SECRETS: "/nowhere" }, /expected an image by digest/, /REVIEW_SECRETS: expected a readable file/],
    [{ REVIEW_OVERLAY: "overlays/nowhere" }, /expected the folder of a kustomization in REVIEW_OVERLAY, found overlays\/nowhere/],
    [{ REVIEW_PULL_SECRET: file }, /REVIEW_PULL_SECRET: expected a config.json of docker/],
    [{ REVIEW_OVERLAY: "k8s-base" }, /chat\.example\.com/],
  ]) {
    const { code, output } = await gitlab(place, ["review", "--no-needs"], { ...REVIEW, ...changed });
    assert.notEqual(code, 0, output);
    for (const part of parts) assert.match(output, part);
    assert.equal(calls(), "", output);
  }
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
