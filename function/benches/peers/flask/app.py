"""A minimal Python implementation for comparison: verifies the signature and sends one message.

It has no deduplication and no retries, and it does not read the responses of Rocket.Chat.
Served by gunicorn with two workers of 32 threads.
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import sys
import time

import requests
from flask import Flask, abort, request

KEY = base64.b64decode(os.environ["GITLAB_SIGNING_KEYS"].removeprefix("whsec_"))
CHAT = os.environ["ROCKETCHAT_URL"] + "/api/v1/"

logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
app = Flask(__name__)
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))
session.headers.update({"X-User-Id": os.environ["ROCKETCHAT_USER_ID"], "X-Auth-Token": os.environ["ROCKETCHAT_AUTH_TOKEN"]})
rooms = {}


def room():
    recipient = os.environ["ROCKETCHAT_RECIPIENT"]
    if recipient not in rooms:
        rooms[recipient] = session.post(CHAT + "im.create", json={"username": recipient}, timeout=5).json()["room"]["_id"]
    return rooms[recipient]


@app.post("/webhook")
def webhook():
    body = request.get_data()
    delivery, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    expected = hmac.digest(KEY, f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256)
    if not hmac.compare_digest("v1," + base64.b64encode(expected).decode(), request.headers["webhook-signature"]):
        abort(401)
    if abs(time.time() - int(timestamp)) > 300:
        abort(401)
    push = json.loads(body)
    text = f"{push['after']} pushed to {push['ref']} of {push['project']['path_with_namespace']}"
    message = {"_id": hashlib.sha256(delivery.encode()).hexdigest()[:34], "rid": room(), "msg": text}
    session.post(CHAT + "chat.sendMessage", json={"message": message}, timeout=5).raise_for_status()
    logging.info(json.dumps({"message": "webhook delivered", "delivery_id": delivery, "sha": push["after"]}))
    return {"status": "delivered"}
