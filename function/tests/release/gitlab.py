#!/usr/bin/env python3
"""A fake of GitLab's API for releases and packages of one project. Stores what it accepts, and prints its port.

usage: gitlab.py FOLDER TOKEN
"""

import http.server
import json
import pathlib
import re
import sys

folder, token = pathlib.Path(sys.argv[1]), sys.argv[2]
PROJECT = "/api/v4/projects/42"


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("job-token") != token:
            return self.answer(401, {"message": "401 Unauthorized"})
        package = re.fullmatch(PROJECT + r"/packages/generic/([\w.+-]+)/(v?\d+\.\d+\.\d+\S*)/([\w.+-]+)", self.path)
        release = re.fullmatch(PROJECT + r"/releases(?:/(\S+))?", self.path)
        if package and self.command == "PUT":
            (folder / package[3]).write_bytes(body)
            return self.answer(201, {"message": "201 Created"})
        if release and release[1] and self.command == "GET":
            found = folder / f"{release[1]}.json"
            return self.answer(200, json.loads(found.read_text())) if found.exists() else self.answer(404, {"message": "404 Not Found"})
        if release and not release[1] and self.command == "POST":
            value = json.loads(body)
            (folder / f"{value['tag_name']}.json").write_text(json.dumps(value))
            return self.answer(201, value)
        return self.answer(405, {"message": "405 Method Not Allowed"})

    do_GET = do_POST = do_PUT = handle_request

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
