// The scripts of the backup and of the restore, with stand-ins for MongoDB's programs that check how they are called and that fail in
// the ways in which the real ones fail.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import vm from "node:vm";
import { gzipSync } from "node:zlib";

const FOLDER = new URL("../../../../k8s-base/rocketchat/", import.meta.url).pathname;
const PASSWORD = "0123456789abcdef";

/** The beginning of an archive of mongodump: its magic number and its list of collections. */
const archive = (...collections) => Buffer.concat([Buffer.from([0x6d, 0xe2, 0x99, 0x81]), Buffer.from(collections.map((name) => `\0db\0rocketchat\0collection\0${name}\0`).join("")), Buffer.alloc(200_000, "data ")]);
const GOOD = gzipSync(archive("rocketchat_settings", "users"));

/** A stand-in that records its arguments and the file of --config, and does what `body` says. */
const program = (body) => `#!/usr/bin/env bash
set -euo pipefail
printf '%s\\n' "$@" > "$RECORD/$(basename "$0")"
for argument in "$@"; do
  case $argument in
    --config=*) stat -c %a "\${argument#*=}" > "$RECORD/mode"; cat "\${argument#*=}" > "$RECORD/config";;
    --archive=*) archive=\${argument#*=};;
  esac
done
${body}
`;

/** Runs one of the scripts. */
function place(t) {
  const root = mkdtempSync(join(tmpdir(), "backup-"));
  t.after(() => rmSync(root, { recursive: true }));
  const folders = Object.fromEntries(["programs", "record", "backup", "temporary"].map((name) => [name, join(root, name)]));
  for (const folder of Object.values(folders)) mkdirSync(folder);
  writeFileSync(join(root, "password"), `${PASSWORD}\n`);
  writeFileSync(join(root, "good"), GOOD);
  const install = (name, body) => {
    writeFileSync(join(folders.programs, name), program(body));
    chmodSync(join(folders.programs, name), 0o755);
  };
  install("mongodump", `cat "${root}/good" > "$archive"`);
  install("mongorestore", "true");
  install("mongosh", 'printf "%s" "$MONGO_URI" > "$RECORD/uri"; echo 0');
  const environment = {
    PATH: `${folders.programs}:${process.env.PATH}`,
    RECORD: folders.record,
    TMPDIR: folders.temporary,
    MONGO_MEMBERS: "mongodb:27017",
    REPLICA_SET: "rs0",
    PASSWORD_FILE: join(root, "password"),
    BACKUP_FOLDER: folders.backup,
  };
  const run = (script, variables) => {
    rmSync(folders.record, { recursive: true });
    mkdirSync(folders.record);
    const { status, stdout, stderr } = spawnSync("bash", [join(FOLDER, script)], { env: { ...environment, ...variables }, encoding: "utf8", timeout: 60_000 });
    const output = stdout + stderr;
    assert.ok(!output.includes(PASSWORD), `the output contains the password: ${output}`);
    assert.deepEqual(readdirSync(folders.temporary), [], "no file with the password is left");
    return { code: status, output };
  };
  return {
    root,
    environment: { ...environment, BACKUP_KEEP: "3" },
    install,
    backup: (variables = {}) => run("backup/backup.sh", { BACKUP_KEEP: "3", ...variables }),
    restore: (variables = {}) => run("restore/restore.sh", { BACKUP: "", ...variables }),
    files: () => readdirSync(folders.backup).sort(),
    write: (name, content = GOOD) => writeFileSync(join(folders.backup, name), content),
    path: (name) => join(folders.backup, name),
    recorded: (name) => (existsSync(join(folders.record, name)) ? readFileSync(join(folders.record, name), "utf8") : null),
  };
}

const isDump = (name) => /^rocketchat-\d{8}T\d{6}Z\.archive\.gz$/.test(name);
const dumps = (files) => files.filter((name) => name.endsWith(".archive.gz"));

test("a dump is written with its checksum, readable by its owner only", (t) => {
  const here = place(t);
  const { code, output } = here.backup();
  assert.equal(code, 0, output);
  const [dump, checksum, ...others] = here.files();
  assert.ok(isDump(dump), dump);
  assert.equal(checksum, dump.replace("archive.gz", "archive.gz.sha256"));
  assert.deepEqual(others, []);
  assert.equal(statSync(here.path(dump)).mode & 0o777, 0o600);
  const check = spawnSync("sha256sum", ["--check", checksum], { cwd: join(here.root, "backup") });
  assert.equal(check.status, 0);
  assert.match(output, new RegExp(`^wrote ${dump}, ${GOOD.length} bytes, verified; 1 dumps are kept$`, "m"));
});

test("mongodump gets the changes that happen meanwhile, and the password only in a file", (t) => {
  const here = place(t);
  assert.equal(here.backup().code, 0);
  const words = here.recorded("mongodump").trim().split("\n");
  assert.deepEqual(words.map((word) => word.replace(/=.*/, "=")), ["--config=", "--oplog", "--gzip", "--archive="]);
  assert.ok(!words.join().includes(PASSWORD));
  assert.equal(here.recorded("mode").trim(), "600");
  assert.equal(here.recorded("config").trim(), `uri: mongodb://backup:${PASSWORD}@mongodb:27017/?replicaSet=rs0&authSource=admin&readPreference=secondaryPreferred`);
});

test("the newest dumps stay, and nothing else in the folder is touched", (t) => {
  const here = place(t);
  for (const day of ["01", "02", "03", "04"]) {
    here.write(`rocketchat-202601${day}T021700Z.archive.gz`);
    here.write(`rocketchat-202601${day}T021700Z.archive.gz.sha256`, "of that day");
  }
  here.write("notes.txt", "mine");
  const { code, output } = here.backup();
  assert.equal(code, 0, output);
  const kept = dumps(here.files());
  assert.deepEqual(kept.slice(0, 2), ["rocketchat-20260103T021700Z.archive.gz", "rocketchat-20260104T021700Z.archive.gz"]);
  assert.equal(kept.length, 3);
  assert.deepEqual(here.files().filter((name) => name.endsWith(".sha256")), kept.map((name) => `${name}.sha256`));
  assert.ok(here.files().includes("notes.txt"));
  assert.match(output, /^removed rocketchat-20260101T021700Z\.archive\.gz$/m);
});

const BROKEN = {
  "mongodump fails": ['echo "Failed: error connecting" >&2; exit 1', /mongodump failed, see above; the 4 earlier dumps are untouched/],
  "mongodump fails after it has written": ['cat "$GOOD" > "$archive"; exit 1', /mongodump failed/],
  "the volume is full": ['head -c "$(($(wc -c < "$GOOD") / 2))" "$GOOD" > "$archive"', /truncated or damaged; is .* full\?/],
  "a byte is wrong": ['cp "$GOOD" "$archive"; printf XX | dd of="$archive" bs=1 seek="$(($(wc -c < "$GOOD") / 2))" conv=notrunc status=none', /truncated or damaged/],
  "there is no file": ["true", /truncated or damaged/],
  "the file is empty": [': > "$archive"', /begins with ""|truncated or damaged/],
  "it is no archive": ['echo text | gzip > "$archive"', /begins with "74657874", expected 6de29981/],
  "it is the dump of another server": ['cat "$OTHER" > "$archive"', /has no collection rocketchat_settings; is it the right server/],
};

for (const [name, [body, pattern]] of Object.entries(BROKEN)) {
  test(`${name}: the run fails and no dump is lost or added`, (t) => {
    const here = place(t);
    for (const day of ["01", "02", "03", "04"]) here.write(`rocketchat-202601${day}T021700Z.archive.gz`);
    const before = here.files();
    writeFileSync(join(here.root, "other"), gzipSync(archive("customers")));
    here.install("mongodump", `GOOD=${here.root}/good OTHER=${here.root}/other\n${body}`);
    const { code, output } = here.backup();
    assert.equal(code, 1, output);
    assert.match(output, pattern);
    assert.deepEqual(here.files(), before);
  });
}

test("what a run left that was killed is removed by the next one", (t) => {
  const here = place(t);
  here.install("mongodump", 'echo half > "$archive"; kill -KILL $PPID');
  const killed = spawnSync("bash", [join(FOLDER, "backup/backup.sh")], { env: here.environment });
  assert.equal(killed.signal, "SIGKILL");
  assert.deepEqual(here.files().map((name) => name.slice(-8)), [".partial"]);
  here.write("rocketchat-20260101T021700Z.archive.gz.partial", "of another night");
  rmSync(here.environment.TMPDIR, { recursive: true });
  mkdirSync(here.environment.TMPDIR);
  here.install("mongodump", `cat "${here.root}/good" > "$archive"`);
  assert.equal(here.backup().code, 0);
  assert.deepEqual(here.files().filter((name) => name.includes("partial")), []);
});

test("settings that are missing or wrong are named", (t) => {
  const here = place(t);
  const cases = [
    [{ MONGO_MEMBERS: "" }, /MONGO_MEMBERS is not set/],
    [{ BACKUP_KEEP: "0" }, /BACKUP_KEEP is "0", expected a number above 0/],
    [{ BACKUP_KEEP: "all" }, /BACKUP_KEEP is "all"/],
    [{ PASSWORD_FILE: "/nothing" }, /\/nothing cannot be read; the Secret mongodb needs the key backup-password/],
    [{ BACKUP_FOLDER: "/nothing" }, /\/nothing is not writable by user \d+/],
  ];
  for (const [variables, pattern] of cases) {
    const { code, output } = here.backup(variables);
    assert.equal(code, 1, output);
    assert.match(output, pattern);
    assert.equal(here.recorded("mongodump"), null);
  }
});

/** A folder with two dumps that backup.sh wrote; the names are given, because both are of the same second. */
function withDumps(t) {
  const here = place(t);
  for (const name of ["rocketchat-20260101T021700Z.archive.gz", "rocketchat-20260102T021700Z.archive.gz"]) {
    here.write(name);
    const { stdout } = spawnSync("sha256sum", [name], { cwd: join(here.root, "backup"), encoding: "utf8" });
    here.write(`${name}.sha256`, stdout);
  }
  return here;
}

test("a restore replaces everything by the newest dump, with the changes that happened during it", (t) => {
  const here = withDumps(t);
  const { code, output } = here.restore();
  assert.equal(code, 0, output);
  const words = here.recorded("mongorestore").trim().split("\n");
  assert.deepEqual(words.slice(1), ["--gzip", `--archive=${here.path("rocketchat-20260102T021700Z.archive.gz")}`, "--oplogReplay", "--drop", "--stopOnError"]);
  assert.match(words[0], /^--config=/);
  assert.equal(here.recorded("config").trim(), `uri: mongodb://root:${PASSWORD}@mongodb:27017/?replicaSet=rs0&authSource=admin`);
  assert.equal(here.recorded("mode").trim(), "600");
  assert.equal(here.recorded("uri"), `mongodb://root:${PASSWORD}@mongodb:27017/?replicaSet=rs0&authSource=admin`);
  assert.match(here.recorded("mongosh"), /--nodb\n[\s\S]*clients\.js/);
  assert.match(output, /run the Job mongodb-replica-set again/);
});

test("a restore takes the dump that is named", (t) => {
  const here = withDumps(t);
  assert.equal(here.restore({ BACKUP: "rocketchat-20260101T021700Z.archive.gz" }).code, 0);
  assert.match(here.recorded("mongorestore"), /rocketchat-20260101T021700Z/);
});

test("nothing is restored from a dump that is unknown, changed or without checksum, or while Rocket.Chat is connected", (t) => {
  const cases = [
    [() => {}, { BACKUP: "rocketchat-20250101T021700Z.archive.gz" }, /there is no dump rocketchat-20250101T021700Z\.archive\.gz; expected one of:\nrocketchat-20260101/],
    [() => {}, { BACKUP: "../password" }, /there is no dump/],
    [() => {}, { BACKUP: "rocketchat-20260102" }, /there is no dump/],
    [(here) => here.write("rocketchat-20260102T021700Z.archive.gz", "other"), {}, /has changed since it was written/],
    [(here) => rmSync(here.path("rocketchat-20260102T021700Z.archive.gz.sha256")), {}, /sha256 is missing/],
    [(here) => here.install("mongosh", "echo 4"), {}, /Rocket\.Chat has 4 connections, expected 0; run kubectl -n rocketchat scale deployment\/rocketchat --replicas=0/],
    [(here) => here.install("mongosh", "echo ECONNREFUSED >&2; exit 1"), {}, /MongoDB cannot be asked for its clients/],
    [() => {}, { PASSWORD_FILE: "/nothing" }, /needs the key root-password/],
    [() => {}, { REPLICA_SET: "" }, /REPLICA_SET is not set/],
  ];
  for (const [prepare, variables, pattern] of cases) {
    const here = withDumps(t);
    prepare(here);
    const { code, output } = here.restore(variables);
    assert.equal(code, 1, output);
    assert.match(output, pattern);
    assert.equal(here.recorded("mongorestore"), null, output);
  }
  const empty = place(t);
  const { code, output } = empty.restore();
  assert.equal(code, 1);
  assert.match(output, /has no dump; expected rocketchat-TIME\.archive\.gz/);
});

test("a restore that fails says that the data is incomplete", (t) => {
  const here = withDumps(t);
  here.install("mongorestore", "exit 1");
  const { code, output } = here.restore();
  assert.equal(code, 1);
  assert.match(output, /the data is incomplete, so restore again before Rocket\.Chat starts/);
});

test("only connections of Rocket.Chat's user are counted", () => {
  const printed = [];
  const operations = [{ effectiveUsers: [{ user: "rocketchat", db: "admin" }] }, { effectiveUsers: [{ user: "root", db: "admin" }] }, {}, { effectiveUsers: [{ user: "rocketchat", db: "admin" }] }];
  const connect = (address) => {
    assert.equal(address, "mongodb://root@mongodb/");
    return {
      getSiblingDB: (name) => {
        assert.equal(name, "admin");
        return {
          aggregate: (stages) => {
            assert.deepEqual(structuredClone(stages), [{ $currentOp: { allUsers: true, idleConnections: true } }]);
            return { toArray: () => operations };
          },
        };
      },
    };
  };
  const context = { connect, print: (value) => printed.push(value), process: { env: { MONGO_URI: "mongodb://root@mongodb/" } } };
  vm.runInNewContext(readFileSync(join(FOLDER, "restore/clients.js"), "utf8"), context);
  assert.deepEqual(printed, [2]);
});
