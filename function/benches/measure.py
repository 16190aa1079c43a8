"""Starts the servers and tools of the benchmark and reads their CPU time and memory from /proc.

Owns processes and CPU pinning. `run` decides what is compared; `report.py` formats the results.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import time

# The measured server has one core; all tools share the other.
SERVER_CORE, TOOLS_CORE = ("0", "1") if os.cpu_count() > 1 else ("0", "0")
ADDRESS = "127.0.0.1:8080"
URL = f"http://{ADDRESS}/webhook"
CHAT = "127.0.0.1:3000"


def listening(address):
    host, port = address.split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {what} within {seconds} s")
        time.sleep(0.02)


class Process:
    """A program and its children, pinned to one core, killed at the end of a `with` block."""

    def __init__(self, command, core, environment=None, address=None, folder=None):
        self.command = ["taskset", "--cpu-list", core, *map(str, command)]
        self.environment = environment or {}
        self.address = address
        self.folder = folder

    def __enter__(self):
        if self.address:
            until(lambda: not listening(self.address), f"expected {self.address} to be free")
        self.process = subprocess.Popen(
            self.command,
            env={"PATH": os.environ["PATH"], **self.environment},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if self.address:
            until(lambda: listening(self.address) or self.process.poll() is not None, f"expected {self.command[3]} to listen")
        if self.process.poll() is not None:
            raise SystemExit(f"bench: {' '.join(self.command)} exited with status {self.process.returncode}")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def members(self):
        """All processes of the group."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, ProcessLookupError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:
                    yield folder, fields

    def cpu_seconds(self):
        """CPU time of all running threads in seconds, as counted by the scheduler."""
        total = 0
        for folder, _ in self.members():
            for thread in (folder / "task").iterdir():
                with contextlib.suppress(OSError, ProcessLookupError):
                    total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory_mb(self, field="VmRSS"):
        """Resident memory in MB; the peak with `VmHWM`."""
        total = 0
        for folder, _ in self.members():
            for line in (folder / "status").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1])
        return total / 1000


class Tools:
    """The commands of `load`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def command(self, name, **options):
        words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", value)]
        return [self.folder / "load", name, *words]

    def upstream(self, delay_ms=0, **options):
        return Process(self.command("upstream", address=CHAT, delay_ms=delay_ms, **options), TOOLS_CORE, address=CHAT)

    def send(self, **options):
        """Sends webhooks, and fails unless every response is 200 or 204."""
        result = self.run(self.command("send", url=URL, **options), TOOLS_CORE)
        good = sum(count for status, count in result["statuses"].items() if status in ("200", "204"))
        if good != options["count"]:
            raise SystemExit(f"bench: expected only responses 200 and 204, found {result['statuses']}")
        return result

    def cold(self, program, environment, folder=None, runs=10, url=URL, method="POST"):
        command = self.command("cold", url=url, runs=runs, method=method) + ["--", *map(str, program)]
        return self.run(command, None, environment, folder)

    def start_lambda(self, program, environment, runs=10):
        address = "127.0.0.1:9001"
        lambda_environment = {
            "AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_FUNCTION_NAME": "webhook-app",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "1",
        }
        command = self.command("lambda", address=address, runs=runs) + ["--", program]
        return self.run(command, None, {**environment, **lambda_environment})

    @staticmethod
    def run(command, core, environment=None, folder=None):
        pinned = ["taskset", "--cpu-list", core] if core else []
        done = subprocess.run(
            [*pinned, *map(str, command)],
            env={"PATH": os.environ["PATH"], **(environment or {})},
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"bench: {' '.join(map(str, command))} exited with status {done.returncode}")
        return json.loads(done.stdout)


def median(results, key):
    return statistics.median(result[key] for result in results)
