"""Drives the fake of GitLab with python-gitlab; `check` runs it."""

import json
import os
import subprocess
import threading
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import gitlab

KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
URL = "https://hooks.example.org/"


def push(before, after):
    """A push of one commit by robin."""
    author = {"name": "Robin Example", "email": "robin@example.org"}
    title = f"Change {after}"
    commit = {"id": after * 40, "title": title, "message": title, "author": author, "timestamp": "2026-11-20T10:42:07Z"}
    return {
        "object_kind": "push",
        "before": before * 40,
        "after": after * 40,
        "ref": "refs/heads/main",
        "user_id": 7,
        "user_username": "robin",
        "commits": [commit],
        "total_commits_count": 1,
    }


class Receiver:
    """Receives webhooks and answers with `status`."""

    def __init__(self, test):
        self.status, self.received = 200, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.headers, json.loads(body)))
                self.send_response(receiver.status)
                self.end_headers()
                self.wfile.write(b"seen")

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        test.addCleanup(server.server_close)
        test.addCleanup(thread.join)
        test.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}/webhook"


class FakeGitLab(unittest.TestCase):
    def start(self, *options):
        program = subprocess.Popen(
            [os.environ["FAKE_GITLAB_API"], "127.0.0.1:0", *options], stdout=subprocess.PIPE
        )
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.terminate)
        self.started = json.loads(program.stdout.readline())
        self.client = self.with_token(self.started["token"])
        self.project = self.client.projects.get(self.started["project"])
        return self

    def with_token(self, token):
        client = gitlab.Gitlab(self.started["listening"], private_token=token)
        self.addCleanup(client.session.close)
        return client

    def inspect(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.started['listening']}/inspect/{path}", data, method=method)
        with urllib.request.urlopen(request) as response:
            text = response.read()
        return json.loads(text) if text else None

    def happen(self, trigger, body):
        project = self.started["project"]
        return self.inspect("POST", "happen", {"project": project, "trigger": trigger, "body": body})

    def refusal(self, call, *arguments, **options):
        with self.assertRaises(gitlab.GitlabError) as raised:
            call(*arguments, **options)
        return raised.exception.response_code, raised.exception.error_message

    def events(self, hook, **options):
        return self.client.http_list(f"/projects/42/hooks/{hook.id}/events", **options)

    def resend(self, hook, event):
        path = f"/projects/42/hooks/{hook.id}/events/{event['id']}/resend"
        return self.client.http_post(path, obey_rate_limit=False)

    def test_a_hook_is_created_changed_and_deleted(self):
        self.start()
        hook = self.project.hooks.create({"url": URL, "signing_token": KEY, "pipeline_events": True})
        self.assertTrue(hook.push_events and hook.pipeline_events and hook.signing_token_present)
        self.assertNotIn(KEY, json.dumps(hook.attributes))
        hook.push_events = False
        hook.save()
        hook = self.project.hooks.get(hook.id)
        self.assertEqual((hook.push_events, hook.pipeline_events), (False, True))
        hook.url = URL + "other"
        hook.save()
        self.assertFalse(self.project.hooks.get(hook.id).signing_token_present)
        hook.delete()
        self.assertEqual(self.project.hooks.list(get_all=True), [])

    def test_the_client_finds_all_pages(self):
        self.start()
        for number in range(45):
            self.project.hooks.create({"url": f"{URL}{number}"})
        self.inspect("DELETE", "requests")
        found = self.project.hooks.list(iterator=True)
        self.assertEqual((found.total, found.total_pages, found.per_page, found.next_page), (45, 3, 20, 2))
        self.assertEqual(len({hook.url for hook in found}), 45)
        self.assertEqual(len(self.inspect("GET", "requests")), 3)

    def test_what_gitlab_refuses_is_an_error_of_the_client(self):
        self.start()
        hooks = self.project.hooks
        hook = hooks.create({"url": URL})
        cases = [
            (lambda: hooks.create({"url": "ftp://example.org"}), (422, "Invalid url given")),
            (lambda: hooks.create({"url": URL, "push_events": "maybe"}), (400, "push_events is invalid")),
            (lambda: hooks.get(99), (404, "404 Not found")),
            (lambda: self.client.projects.get("acme/secret"), (404, "404 Project Not Found")),
            (lambda: self.client.hooks.list(), (403, "403 Forbidden")),
            (lambda: hook.test("xyz"), (400, "trigger does not have a valid value")),
            (lambda: hook.test("push_events"), (422, "Ensure the project has at least one commit.")),
            (lambda: self.with_token("wrong").projects.list(get_all=False), (401, "401 Unauthorized")),
            (lambda: self.events(hook, per_page=21, get_all=False), (400, "per_page does not have a valid value")),
            (lambda: self.project.repository_compare("a" * 40, "b" * 40), (404, "404 Ref Not Found")),
        ]
        for call, expected in cases:
            self.assertEqual(self.refusal(call), expected)
        reader = self.with_token(self.started["read_token"]).projects.get(42)
        self.assertEqual(len(reader.hooks.list(get_all=True)), 1)
        status, error = self.refusal(reader.hooks.create, {"url": URL})
        self.assertEqual((status, "insufficient_scope" in error), (403, True))

    def test_system_hooks_are_for_administrators(self):
        self.start()
        root = self.with_token(self.started["admin_token"])
        hook = root.hooks.create({"url": URL, "push_events": True})
        self.assertTrue(hook.push_events and hook.repository_update_events)
        self.assertEqual(len(root.hooks.list(get_all=True)), 1)
        hook.delete()
        self.assertEqual(root.hooks.list(get_all=True), [])

    def test_failed_events_are_resent_five_times_a_minute(self):
        self.start()
        receiver = Receiver(self)
        hook = self.project.hooks.create({"url": receiver.url, "token": "canary"})
        receiver.status = 503
        for after in "bcd":
            self.happen("push_events", push("a", after))
        receiver.status = 200
        failed = self.events(hook, status="server_failure", per_page=2, get_all=True)
        self.assertEqual([event["response_status"] for event in failed], ["503"] * 3)
        self.assertNotIn("canary", json.dumps(failed))
        self.assertEqual(failed[0]["request_data"]["commits"][0]["author"]["email"], "[REDACTED]")
        for _ in range(2):
            # Ten, if the minute of the clock ends meanwhile.
            allowed = 0
            while allowed <= 10 and self.resend_is_allowed(hook, failed[0]):
                allowed += 1
            self.assertIn(allowed, range(5, 11))
            self.inspect("POST", "clock", {"advance_seconds": 60})
        keys = {headers["Idempotency-Key"] for headers, _ in receiver.received[3:]}
        self.assertEqual(keys, {failed[0]["request_headers"]["Idempotency-Key"]})
        self.assertEqual(len(self.events(hook, status="503", get_all=True)), 3)

    def resend_is_allowed(self, hook, event):
        try:
            self.assertEqual(self.resend(hook, event), {"response_status": 200})
            return True
        except gitlab.GitlabHttpError as error:
            text = "This endpoint has been requested too many times. Try again later."
            self.assertEqual((error.response_code, error.error_message), (429, {"error": text}))
            return False

    def test_a_disabled_hook_is_tested(self):
        self.start()
        receiver = Receiver(self)
        hook = self.project.hooks.create({"url": receiver.url})
        receiver.status = 500
        sent = [len(self.happen("push_events", push("a", after))) for after in "bcdef"]
        self.assertEqual(sent, [1, 1, 1, 1, 0])
        self.assertEqual(self.project.hooks.get(hook.id).alert_status, "temporarily_disabled")
        event = self.events(hook, get_all=True)[0]
        self.assertEqual(self.refusal(self.resend, hook, event), (422, "Hook disabled"))
        self.assertEqual(self.refusal(hook.test, "push_events"), (422, "seen"))
        receiver.status = 204
        hook.test("push_events")
        self.assertEqual(self.project.hooks.get(hook.id).alert_status, "executable")
        self.assertEqual(receiver.received[-1][1]["user_username"], "webhook-bot")

    def test_the_limit_of_all_requests_is_an_error_of_the_client(self):
        # By default, the client waits for as long as `Retry-After` says.
        self.start("--requests", "3")
        with self.assertRaises(gitlab.GitlabHttpError) as raised:
            for _ in range(8):
                self.client.http_get("/version", obey_rate_limit=False)
        self.assertEqual(raised.exception.response_code, 429)

    def test_what_happened_is_listed(self):
        self.start()
        for before, after in ["ab", "bc"]:
            self.happen("push_events", push(before, after))
        user = {"id": 7, "username": "robin", "email": "robin@example.org"}
        pipeline = {"user": user, "object_attributes": {"id": 31, "status": "failed", "ref": "main"}, "builds": []}
        self.happen("pipeline_events", pipeline)
        request = {"user": user, "object_attributes": {"id": 112, "iid": 12, "state": "opened", "title": "Add"}}
        self.happen("merge_requests_events", request)

        pushes = self.project.events.list(action="pushed", get_all=True)
        self.assertEqual([one.push_data["commit_title"] for one in pushes], ["Change c", "Change b"])
        compared = self.project.repository_compare("a" * 40, "main")
        self.assertEqual([commit["title"] for commit in compared["commits"]], ["Change b", "Change c"])
        commits = self.project.commits.list(ref_name="main", iterator=True)
        self.assertEqual((commits.total, len(list(commits))), (None, 2))
        self.assertEqual([one.status for one in self.project.pipelines.list(get_all=True)], ["failed"])
        self.assertEqual([one.iid for one in self.project.mergerequests.list(state="opened", get_all=True)], [12])
        self.assertEqual([one.id for one in self.client.projects.list(membership=True, get_all=True)], [42])


if __name__ == "__main__":
    unittest.main()
