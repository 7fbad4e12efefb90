"""Starts moto_server with RotateSecret calling a local function instead of one in Docker.

    ROTATION_HOOK_URL=http://127.0.0.1:PORT/ python3 moto_with_local_lambda.py -H 127.0.0.1 -p PORT

Each step's event goes as a POST to ROTATION_HOOK_URL; any status but 200 is a failed step. Without
that variable no step is called, and RotateSecret leaves its empty AWSPENDING version behind.

Three differences from the service are evened out on the way: the event carries the ARN, a failed
step ends the rotation, and a version labelled both AWSCURRENT and AWSPENDING is no obstacle.
"""

import json
import os
import threading
import urllib.error
import urllib.request

import moto.awslambda.utils
from moto.secretsmanager.models import SecretsManagerBackend
from moto.server import main

HOOK = os.environ.get("ROTATION_HOOK_URL")
rotation = threading.local()
rotate_secret = SecretsManagerBackend.rotate_secret


class LocalFunction:
    """Stands in for moto's Lambda backend during one rotation."""

    failed = False

    def get_function(self, name_or_arn, qualifier=None):
        """Any function exists."""

    def invoke(self, function_name, qualifier, body, headers, response_headers):
        if HOOK is None or self.failed:
            return
        event = json.loads(body) | {"SecretId": rotation.secret.arn}
        # No proxy of the environment: the hook is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(urllib.request.Request(HOOK, json.dumps(event).encode()), timeout=120)
        except urllib.error.HTTPError:
            self.failed = True


def rotate_as_the_service_does(self, secret_id, *args, **kwargs):
    rotation.secret = secret = self.secrets[secret_id] if secret_id in self.secrets else None
    for version in secret.versions.values() if secret else []:
        if {"AWSCURRENT", "AWSPENDING"} <= set(version["version_stages"]):
            version["version_stages"].remove("AWSPENDING")
    try:
        return rotate_secret(self, secret_id, *args, **kwargs)
    finally:
        # moto makes the pending version the default one, whatever the function did.
        for version_id, version in secret.versions.items() if secret else []:
            if "AWSCURRENT" in version["version_stages"]:
                secret.set_default_version_id(version_id)


SecretsManagerBackend.rotate_secret = rotate_as_the_service_does
moto.awslambda.utils.get_backend = lambda account_id, region: LocalFunction()

if __name__ == "__main__":
    main()
