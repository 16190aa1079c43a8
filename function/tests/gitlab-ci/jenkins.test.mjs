// Tests of .ci/Jenkinsfile without a Jenkins: it is valid Groovy, for which npm-groovy-lint brings the parser, and it has the
// same checks as the pipeline of GitLab. The declarative model, such as the names of options, is not checked.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { project, root, without } from "./harness.mjs";

const FILE = join(root, ".ci/Jenkinsfile");
const CLASSES = join(import.meta.dirname, "node_modules/npm-groovy-lint/lib/java/groovy/lib/*");

const parse = (file) => ["-cp", CLASSES, "groovy.ui.GroovyMain", "-e", "new GroovyShell().parse(new File(args[0]))", file];

test("the Jenkinsfile is valid Groovy, and an invalid one is rejected", { skip: without("java") }, (t) => {
  execFileSync("java", parse(FILE), { stdio: "pipe" });
  const wrong = join(project(t).folder, "Jenkinsfile");
  writeFileSync(wrong, readFileSync(FILE, "utf8").replace("stage('Lambda') {", "stage('Lambda' {"));
  const { status, stderr } = spawnSync("java", parse(wrong), { encoding: "utf8" });
  assert.notEqual(status, 0);
  assert.match(stderr, /Unexpected input/);
});

test("the Jenkinsfile has the checks of make check, and none is skipped", () => {
  const text = readFileSync(FILE, "utf8");
  const list = readFileSync(join(root, "Makefile"), "utf8").match(/^check: (.*?) ##/m)[1].split(" ");
  const found = [...text.matchAll(/sh 'make ([a-z0-9 -]+)/g)].flatMap(([, targets]) => targets.trim().split(" "));
  assert.deepEqual(found.toSorted(), list.toSorted());
  assert.match(text, /REQUIRE_TOOLS = '1'/);
});
