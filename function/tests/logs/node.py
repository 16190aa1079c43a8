"""What a node has, for the log collector: `node.py runtime FILE` writes lines as a container runtime does, and
`node.py api ADDRESS PORT` answers for pods as the API server does: with one pod, which has the label of the function."""

import datetime
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

POD = {
    "metadata": {
        "name": "webhook-app-1",
        "namespace": "webhook-app",
        "uid": "0b0e6d4c-8a4c-4f0e-9d53-9a8f6e1f2a11",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        # Not the name of the container, which is what a pod without the label is called by.
        "labels": {"app.kubernetes.io/name": "webhook-app"},
    },
    "spec": {"nodeName": "node-1", "containers": [{"name": "function"}]},
    "status": {"podIP": "192.0.2.1"},
}


class Api(BaseHTTPRequestHandler):
    """Lists the pod; a watch stays open and reports nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        selected = query.get("fieldSelector", [""])[0]
        if address.path != "/api/v1/pods" or "spec.nodeName=node-1" not in selected:
            # The role of the collector allows nothing else.
            print(f"expected the pods of node-1, found {self.path}", file=sys.stderr, flush=True)
            return self.answer(403, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403})
        if "sendInitialEvents" in query:
            # An API server without streaming lists; the client then lists.
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422}
            return self.answer(422, status)
        if query.get("watch", [""])[0] in ("1", "true"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.flush()
            self.close_connection = True
            # Ends when the client closes the connection.
            return self.rfile.read(1)
        pods = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [POD]}
        return self.answer(200, pods)

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def write_lines(path):
    """In the format of the Container Runtime Interface: time, stream, F for a full line, text."""
    with open(path, "a", encoding="utf-8") as file:
        for line in sys.stdin:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
            file.write(f"{now}000Z stdout F {line}")
            file.flush()


if __name__ == "__main__":
    if sys.argv[1] == "runtime":
        write_lines(sys.argv[2])
    else:
        ThreadingHTTPServer((sys.argv[2], int(sys.argv[3])), Api).serve_forever()
