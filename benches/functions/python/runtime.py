"""The loop of a Lambda runtime in Python, as small as it can be: it imports the handler, asks for an event,
calls the handler, and posts what came of it."""

import http.client
import json
import os
import sys
import traceback

import handler

VERSION = "/2018-06-01/runtime"


def main():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", f"{VERSION}/invocation/next")
        reply = api.getresponse()
        event = json.loads(reply.read())
        request = reply.getheader("lambda-runtime-aws-request-id")
        try:
            outcome, body = "response", handler.handle(event)
        except Exception as fault:  # Whatever it is, it is reported.
            traceback.print_exc(file=sys.stderr)
            outcome, body = "error", {"errorType": type(fault).__name__, "errorMessage": str(fault)}
        api.request("POST", f"{VERSION}/invocation/{request}/{outcome}", json.dumps(body))
        api.getresponse().read()


main()
