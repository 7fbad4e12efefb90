#!/usr/bin/env python3
"""A function for a custom runtime: does what the event's "do" says."""

import json
import os
import signal
import sys
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def post(path, body):
    urllib.request.urlopen(urllib.request.Request(f"{API}/{path}", json.dumps(body).encode()))


print("starting", file=sys.stderr, flush=True)
if os.environ.get("FAIL_INIT"):
    post("init/error", {"errorType": "Init.Broken", "errorMessage": "no configuration"})
    sys.exit(1)

handled = 0
while True:
    with urllib.request.urlopen(f"{API}/invocation/next") as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        body = answer.read()
    request_id = headers["lambda-runtime-aws-request-id"]
    handled += 1
    event = json.loads(body)
    match event.get("do"):
        case None:
            post(f"invocation/{request_id}/response", None)
        case "echo":
            post(
                f"invocation/{request_id}/response",
                {"event": event, "headers": headers, "env": dict(os.environ), "handled": handled},
            )
        case "fail":
            report = {"errorType": "Function.Broken", "errorMessage": event["message"]}
            post(f"invocation/{request_id}/error", report)
        case "print":
            print(event["text"], flush=True)
            post(f"invocation/{request_id}/response", None)
        case "crash":
            os.kill(os.getpid(), signal.SIGABRT)
        case "call":
            urllib.request.urlopen(event["url"])
            post(f"invocation/{request_id}/response", None)
        case "hang":
            signal.pause()
