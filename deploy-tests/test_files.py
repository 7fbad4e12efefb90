"""Files that are deployed or documented as they are: sample events and certificates."""

import datetime
import json
import re

import pytest
import rules
from cryptography import x509
from cryptography.hazmat.primitives import hashes

EVENTS = rules.ROOT / "lambda" / "events"
BUNDLE = rules.ROOT / "rotators" / "certs" / "rds-global-bundle.pem"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


def test_each_step_has_an_event():
    assert sorted(path.name for path in EVENTS.iterdir()) == sorted(f"{step}.json" for step in STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_the_event_is_what_secrets_manager_sends(step):
    event = json.loads((EVENTS / f"{step}.json").read_text())
    assert event["Step"] == step
    assert re.fullmatch(r"arn:aws:secretsmanager:us-east-1:123456789012:secret:[\w/]+-\w{6}", event["SecretId"])
    assert 32 <= len(event["ClientRequestToken"]) <= 64
    # Sent since 2025: 36 to 256 characters.
    assert 36 <= len(event.get("RotationToken", "x" * 36)) <= 256


def test_the_events_belong_to_one_rotation():
    events = [json.loads((EVENTS / f"{step}.json").read_text()) for step in STEPS]
    assert len({(event["SecretId"], event["ClientRequestToken"]) for event in events}) == 1


def test_the_bundle_holds_the_authorities_that_its_header_counts():
    text = BUNDLE.read_text()
    certificates = x509.load_pem_x509_certificates(text.encode())
    counted = re.search(r"^# Certificates: (\d+) of \d+", text, re.MULTILINE)
    made_on = re.search(r"^# Made on (\d{4}-\d{2}-\d{2}) ", text, re.MULTILINE)
    assert counted and made_on, "the header names the date and the number"
    assert len(certificates) == int(counted[1])
    assert len({certificate.fingerprint(hashes.SHA256()) for certificate in certificates}) == len(certificates)

    date = datetime.datetime.fromisoformat(made_on[1]).replace(tzinfo=datetime.timezone.utc)
    for certificate in certificates:
        assert certificate.not_valid_after_utc > date, certificate.subject
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, certificate.subject
        assert certificate.subject == certificate.issuer, certificate.subject
        assert "Amazon RDS" in certificate.subject.rfc4514_string()


def test_the_example_secrets_rotate_every_30_and_60_days_and_hold_no_value():
    example = rules.parse(rules.ROOT / "example-secrets.yaml")
    schedules = {
        name: (schedule["Properties"]["RotationRules"], schedule["Properties"]["RotateImmediatelyOnUpdate"])
        for name, schedule in rules.resources(example, "AWS::SecretsManager::RotationSchedule").items()
    }
    assert schedules == {
        "BearerTokenSchedule": ({"ScheduleExpression": "rate(30 days)", "Duration": "3h"}, True),
        "DatabaseSchedule": ({"ScheduleExpression": "rate(60 days)", "Duration": "2h"}, False),
    }
    assert rules.no_literal_secret(example) == []
    assert rules.one_schedule_a_secret(example) == []
    for name, secret in rules.resources(example, "AWS::SecretsManager::Secret").items():
        # A deleted stack must not take the only copy of a password along.
        assert secret["DeletionPolicy"] == "Retain", name
        shape = secret["Properties"]["GenerateSecretString"]["SecretStringTemplate"]["Fn::Sub"]
        assert not {"password", "access_token"} & json.loads(shape).keys(), name
