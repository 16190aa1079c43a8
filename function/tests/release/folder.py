#!/usr/bin/env python3
"""Writes what release-build makes, with tiny programs, so that a test of the other steps needs no compiler.

usage: folder.py FOLDER VERSION COMMIT [FAULT…]

Each fault makes one property of the release wrong; FAULTS lists them.
"""

import hashlib
import io
import json
import pathlib
import struct
import sys
import tarfile
import tomllib
import zipfile
import zlib

FAULTS = {"platform", "machine", "configuration", "version", "revision", "sbom", "commit", "modified", "content"}
MACHINES = {"amd64": 62, "arm64": 183}  # as in elf.h

folder, version, commit = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
faults = set(sys.argv[4:])
assert faults <= FAULTS, faults - FAULTS
lock = tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]
crates = [{"name": name, "version": next(p["version"] for p in lock if p["name"] == name)} for name in ("webhook-app", "tokio", "ring")]


def program(arch):
    """An executable without code: a header, and the section in which cargo-auditable embeds the list of crates."""
    packages = [crate | {"kind": "runtime"} for crate in crates]
    listed = zlib.compress(json.dumps({"packages": packages}).encode())
    names = b"\0.dep-v0\0.shstrtab\0"
    start = 64 + len(listed) + len(names)
    machine = MACHINES["amd64" if "machine" in faults else arch]
    # As in elf.h: the header, then name, type, flags, address, offset, size, link, info, alignment and entry size of sections.
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, machine, 1, 0, 0, start, 0, 64, 0, 0, 64, 3, 2)
    sections = [(0, 0, 0, 0), (1, 1, 64, len(listed)), (9, 3, 64 + len(listed), len(names))]
    table = [struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, place, size, 0, 0, 1, 0) for name, kind, place, size in sections]
    return header + listed + names + b"".join(table)


def blob(data, media_type):
    """Stores one blob of the image and returns its descriptor."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    digest = hashlib.sha256(data).hexdigest()
    place = folder / "image/blobs/sha256" / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(data)}


def layer(arch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        data = program(arch)
        entry = tarfile.TarInfo("webhook-app")
        entry.size, entry.mode = len(data), 0o755
        archive.addfile(entry, io.BytesIO(data))
        if "content" in faults:
            archive.addfile(tarfile.TarInfo("backdoor"))
    return packed.getvalue()


def image(arch):
    data = layer(arch)
    labels = {
        "org.opencontainers.image.version": "9.9.9" if "version" in faults else version,
        "org.opencontainers.image.revision": "unknown" if "revision" in faults else commit,
    }
    config = {
        "os": "linux",
        "architecture": "arm" if "configuration" in faults else arch,
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(config, "config.v1+json"),
        "layers": [blob(data, "layer.v1.tar")],
    }
    return blob(manifest, "manifest.v1+json") | {"platform": {"os": "linux", "architecture": arch}}


def write(path, value):
    path = folder / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def provenance(name):
    write(
        f"attestations/{name}.slsaprovenance1.json",
        {
            "buildDefinition": {
                "buildType": "https://www.opencontainers.org/containerfile/v1",
                "externalParameters": {},
                "internalParameters": {"tree": "modified" if "modified" in faults else "clean"},
                "resolvedDependencies": [{"uri": "git+local", "digest": {"gitCommit": "0" * 40 if "commit" in faults else commit}}],
            },
            "runDetails": {"builder": {"id": "test"}},
        },
    )


architectures = ["amd64"] if "platform" in faults else list(MACHINES)
index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [image(arch) for arch in architectures]}
named = blob(index, "index.v1+json") | {"annotations": {"org.opencontainers.image.ref.name": version}}
write("image/index.json", {"schemaVersion": 2, "manifests": [named]})
write("image/oci-layout", {"imageLayoutVersion": "1.0.0"})
provenance("index")
for arch in architectures:
    provenance(arch)
    listed = crates[:-1] if "sbom" in faults else crates
    sbom = {"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"component": listed[0]}, "components": listed[1:]}
    write(f"attestations/{arch}.cyclonedx.json", sbom)
    write(f"files/webhook-app-{version}-{arch}.cdx.json", sbom)
    with zipfile.ZipFile(folder / f"files/webhook-app-lambda-{version}-{arch}.zip", "w") as archive:
        archive.writestr("bootstrap", program(arch))
sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted((folder / "files").iterdir())]
(folder / "files/checksums.txt").write_text("".join(sums))
