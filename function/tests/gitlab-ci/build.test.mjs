// Tests of the jobs that push images, executed in a shell by gitlab-ci-local with recording builders. Pushing to a real registry is
// tested with the release.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { gitlab, project } from "./harness.mjs";

const REGISTRY = {
  CI_REGISTRY: "registry.acme.test",
  CI_REGISTRY_IMAGE: "registry.acme.test/acme/rocket",
  CI_REGISTRY_USER: "ci",
  CI_REGISTRY_PASSWORD: "canary:password",
};

const program = ({ folder }, name, script) => writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${script}`, { mode: 0o755 });

test("the image with the tools is built once for each content", async (t) => {
  for (const [exists, calls] of [[true, ["login"]], [false, ["login", "build", "push"]]]) {
    const place = project(t);
    program(place, "buildah", `echo $* >> ${place.folder}/calls\n[ $1 != login ] || cat > /dev/null\n`);
    program(place, "skopeo", `case $1 in login) cat > /dev/null ;; inspect) ${exists ? "echo '{}'" : "echo manifest unknown >&2; exit 1"} ;; esac\n`);
    const { code, output } = await gitlab(place, ["ci-image"], REGISTRY);
    assert.equal(code, 0, output);
    const recorded = readFileSync(join(place.folder, "calls"), "utf8");
    assert.deepEqual(recorded.trim().split("\n").map((line) => line.split(" ")[0]), calls, recorded);
    assert.ok(!(recorded + output).includes("canary:password"));
    if (!exists) assert.match(recorded, /^build --file function\/ci\/Containerfile --tag registry\.acme\.test\/acme\/rocket\/ci:[0-9a-f]{12} /m);
  }
});

test("an image with the tools that another project builds is left alone", async (t) => {
  const place = project(t);
  program(place, "buildah", `touch ${place.folder}/calls\n`);
  const { code, output } = await gitlab(place, ["ci-image"], { ...REGISTRY, CI_IMAGE: "registry.acme.test/tools/ci:1" });
  assert.equal(code, 0, output);
  assert.match(output, /this pipeline does not build it/);
  assert.ok(!existsSync(join(place.folder, "calls")));
});

test("the job publish-buildkit pushes with the job's credentials and writes the digest", async (t) => {
  const place = project(t);
  const digest = `sha256:${"6".repeat(64)}`;
  // Records its arguments and its credentials, and answers as BuildKit does.
  const script = `#!/bin/sh
printf '%s\n' "$@" > ${place.folder}/build
cat "$DOCKER_CONFIG/config.json" > ${place.folder}/credentials
while [ "$1" != --metadata-file ]; do shift; done
printf '{\n  "containerimage.config.digest": "sha256:0",\n  "containerimage.digest": "${digest}"\n}\n' > "$2"
`;
  writeFileSync(join(place.folder, "bin/buildctl-daemonless.sh"), script, { mode: 0o755 });
  const { code, output } = await gitlab(place, ["publish-buildkit", "--no-needs"], { ...REGISTRY, BUILDER: "buildkit" });
  assert.equal(code, 0, output);
  assert.ok(output.includes(`IMAGE=${REGISTRY.CI_REGISTRY_IMAGE}@${digest}`), output);
  const read = (name) => readFileSync(join(place.folder, name), "utf8");
  assert.ok(!(read("build") + output).includes("canary:password"));
  const { auth } = JSON.parse(read("credentials")).auths["registry.acme.test"];
  assert.equal(Buffer.from(auth, "base64").toString(), "ci:canary:password");
  assert.match(read("build"), new RegExp(`^build-arg:REVISION=${place.sha}$`, "m"));
});
