"""A rotation of one PostgreSQL role, as the four steps are documented for functions of one's own:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html

It is what the functions here are measured against, and it does what such a function does: each step looks at the
labels first, the password comes from GetRandomPassword, the login that works sets the pending one.
"""

import json
import logging
import os

import boto3
import psycopg2
from psycopg2 import sql

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
log = logging.getLogger()
service = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])


def handle(event, _context=None):
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    described = service.describe_secret(SecretId=secret)
    labels = described["VersionIdsToStages"].get(token)
    if not described.get("RotationEnabled") or labels is None:
        raise ValueError(f"no rotation of {secret} under way with {token}")
    if "AWSCURRENT" in labels:
        return None
    if "AWSPENDING" not in labels:
        raise ValueError(f"{token} is not pending")
    {"createSecret": create, "setSecret": put_in_force, "testSecret": test, "finishSecret": finish}[step](secret, token)
    log.info("%s: done for %s", step, secret)
    return None


def value(secret, stage, token=None):
    version = {"VersionId": token} if token else {}
    reply = service.get_secret_value(SecretId=secret, VersionStage=stage, **version)
    login = json.loads(reply["SecretString"])
    for key in ("host", "username", "password"):
        if key not in login:
            raise KeyError(key)
    if login.get("engine") != "postgres":
        raise ValueError("not a secret of PostgreSQL")
    return login


def create(secret, token):
    login = value(secret, "AWSCURRENT")
    try:
        value(secret, "AWSPENDING", token)
    except (service.exceptions.ResourceNotFoundException, KeyError):
        fresh = service.get_random_password(PasswordLength=32, ExcludeCharacters=":/@\"'\\")
        login["password"] = fresh["RandomPassword"]
        service.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString=json.dumps(login), VersionStages=["AWSPENDING"]
        )


def put_in_force(secret, token):
    try:
        previous = value(secret, "AWSPREVIOUS")
    except (service.exceptions.ResourceNotFoundException, KeyError):
        previous = None
    current, pending = value(secret, "AWSCURRENT"), value(secret, "AWSPENDING", token)
    connection = connect(pending)
    if connection:
        connection.close()
        return
    for login in (current, previous):
        connection = login and connect(login)
        if connection:
            break
    else:
        raise ValueError("neither the current nor the previous password works")
    with connection, connection.cursor() as cursor:
        statement = sql.SQL("ALTER USER {} WITH PASSWORD {}")
        cursor.execute(statement.format(sql.Identifier(pending["username"]), sql.Literal(pending["password"])))
    connection.close()


def test(secret, token):
    connection = connect(value(secret, "AWSPENDING", token))
    if not connection:
        raise ValueError("the pending password does not work")
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOW()")
        cursor.fetchall()
    connection.close()


def finish(secret, token):
    described = service.describe_secret(SecretId=secret)
    for version, labels in described["VersionIdsToStages"].items():
        if "AWSCURRENT" in labels:
            service.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=version
            )
            return


def connect(login):
    try:
        return psycopg2.connect(
            host=login["host"],
            port=login.get("port", 5432),
            dbname=login.get("dbname", "postgres"),
            user=login["username"],
            password=login["password"],
            sslmode="verify-full",
            connect_timeout=5,
        )
    except psycopg2.OperationalError:
        return None
