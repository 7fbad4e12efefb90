#!/usr/bin/env python3
"""Holds what the functions cost against benches/limits.json. Nothing here depends on how long something takes.

scripts/limits.py crates              crates that each kind of rotator needs, and none that is banned
scripts/limits.py first-poll BINARY   instructions from exec to the first poll of a function, counted by callgrind; one
                                      without a limit is only counted
scripts/limits.py sizes               sizes of the release binaries in target/release, stripped
scripts/limits.py test-sizes FOLDER   sizes of the functions that were built for tests: three times as large, but at hand
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = json.loads((ROOT / "benches/limits.json").read_text())


def crates(*locked):
    """The crates of each feature of `rotators`, and of all functions together: no more than allowed."""
    limits, faults = LIMITS["crates"], []
    metadata = json.loads(output("cargo", "metadata", *locked, "--no-deps", "--format-version", "1"))
    features = next(package["features"] for package in metadata["packages"] if package["name"] == "rotators")
    kinds = {
        feature: ["--package", "rotators", "--no-default-features", "--features", feature]
        for feature in sorted(features)
        if feature != "default" and not feature.startswith("_")
    }
    kinds["lambda"] = ["--package", "lambda", "--all-features"]
    for kind, options in kinds.items():
        tree = output("cargo", "tree", *locked, "--prefix", "none", "--edges", "normal", "--format", "{p}", *options)
        names = {line.split(" ")[0] for line in tree.splitlines() if line}
        most = limits["most"].get(kind, limits["most"]["default"])
        print(f"{kind}: {len(names)} crates, at most {most}")
        if len(names) > most:
            faults.append(f"{kind} needs {len(names)} crates: what is new? If it is worth it, raise the limit")
        for banned, reason in limits["banned"].items():
            if banned in names:
                faults.append(f"{kind} needs {banned}: {reason}")
    return faults


def first_poll(binary):
    """Runs a function under callgrind until it asks for its first event, and ends it then."""
    most = LIMITS["first_poll"].get(Path(binary).name)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as api:
        api.settimeout(120)
        environment = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.getsockname()[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            "AWS_LAMBDA_LOG_STREAM_NAME": "0",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_SESSION_TOKEN": "example",
            "PATH": os.environ["PATH"],
        }
        log = Path(folder, "log")
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}", binary]
        process = subprocess.Popen(valgrind, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            connection, _ = api.accept()
            connection.settimeout(120)
            request = b""
            while b"\r\n\r\n" not in request:
                received = connection.recv(4096)
                if not received:
                    return [f"{binary} has closed the connection before it asked for an event"]
                request += received
        except TimeoutError:
            return [f"{binary} does not ask for an event: {log.read_text()}"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
        counted = re.search(r"Collected : (\d+)", log.read_text())
    if not request.startswith(b"GET /2018-06-01/runtime/invocation/next ") or not counted:
        return [f"{binary}: {request[:80]!r}, {counted}"]
    count = int(counted[1])
    print(f"{Path(binary).name}: {count} instructions from exec to the first poll, at most {most or 'any number'}")
    if most is not None and count > most:
        return [f"{Path(binary).name} does more than it did before it asks for its first event: make it on first use"]
    return []


def sizes(folder="target/release", limits="size_mb"):
    """Each function that is there; one without a limit of its own has the default one."""
    functions = sorted(
        path for path in Path(ROOT, folder).glob("rotate_*") if os.access(path, os.X_OK) and path.is_file()
    )
    if not functions:
        return [f"no functions in {folder}: cargo build --release --package lambda --bins"]
    faults, limits = [], LIMITS[limits]
    for function in functions:
        with tempfile.NamedTemporaryFile() as stripped:
            shutil.copyfile(function, stripped.name)
            subprocess.run(["strip", stripped.name], check=True)
            size = os.path.getsize(stripped.name) / 1e6
        most = limits.get(function.name, limits["default"])
        print(f"{function.name}: {size:.2f} MB, at most {most} MB")
        if size > most:
            faults.append(f"{function.name} is larger than {most} MB: what is new in it? If it is worth it, raise the limit")
    return faults


def test_sizes(folder):
    """What is linked into a function shows in any build of it."""
    return sizes(folder, "test_size_mb")


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    commands = {"crates": crates, "first-poll": first_poll, "sizes": sizes, "test-sizes": test_sizes}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    found = commands[sys.argv[1]](*sys.argv[2:])
    for fault in found:
        print(f"limits: {fault}", file=sys.stderr)
    sys.exit(bool(found))
