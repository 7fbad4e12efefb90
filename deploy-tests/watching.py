"""Rules for what watches the functions: the daily check, the alarms, the dashboard."""

import json
import re

from reading import ROOT, resources


def rules_only_check(template):
    """An event rule may ask for checks of the one secret, which write nothing."""
    wrong = []
    for name, rule in resources(template, "AWS::Events::Rule").items():
        if not rule["Properties"].get("ScheduleExpression"):
            wrong.append(f"{name} has no schedule")
        for target in rule["Properties"]["Targets"]:
            if target.get("Input") != {"Fn::Sub": '{"Check": "${secretArn}"}'}:
                wrong.append(f"{name} sends something else than a check")
    return wrong


def alarms_watch_what_is_measured(template):
    """Each metric of an alarm or the dashboard is one that the code emits, or Lambda's."""
    emitted = metrics_the_code_emits()
    wrong = []
    for where, namespace, metric in _watched(template):
        if namespace == "SecretsRotation" and metric not in emitted:
            wrong.append(f"{where} watches {metric}, which nothing emits")
        elif namespace not in ("SecretsRotation", "AWS/Lambda"):
            wrong.append(f"{where} watches the foreign namespace {namespace}")
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        if "alarmTopicArn" not in json.dumps(alarm["Properties"].get("AlarmActions", "")):
            wrong.append(f"{name} tells nobody")
        if not alarm["Properties"].get("AlarmDescription"):
            wrong.append(f"{name} does not say what to do")
    watched = {metric for _, _, metric in _watched(template)}
    return wrong + [f"nothing shows {metric}" for metric in sorted(emitted - watched - {"Attempts"})]


def all_who_must_act_raise_an_alarm(template):
    """Every advice of the code is in an alarm's dimensions."""
    code = (ROOT / "secrets-core" / "src" / "rotation" / "error.rs").read_text()
    advice = set(re.findall(r'Self::\w+ => "(retry|fix_\w+|report)"', code))
    alarms = json.dumps(resources(template, "AWS::CloudWatch::Alarm"))
    missing = {word for word in advice if f'"{word}"' not in alarms}
    return [f"no alarm watches failures with the advice {word}" for word in sorted(missing)] if advice else ["no advice in the code"]


def metrics_the_code_emits():
    code = (ROOT / "lambda" / "src" / "watch.rs").read_text()
    return set(re.findall(r'\(\s*"([A-Z][A-Za-z]+)",\s*"(?:Count|Seconds|Milliseconds)"', code))


def _watched(template):
    """(where, namespace, metric) of alarms and of the dashboard."""
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        properties = alarm["Properties"]
        if "MetricName" in properties:
            yield name, properties["Namespace"], properties["MetricName"]
        for query in properties.get("Metrics", []):
            if "MetricStat" in query:
                metric = query["MetricStat"]["Metric"]
                yield name, metric["Namespace"], metric["MetricName"]
    for name, board in resources(template, "AWS::CloudWatch::Dashboard").items():
        body = json.loads(board["Properties"]["DashboardBody"]["Fn::Sub"])
        for widget in body["widgets"]:
            for metric in widget["properties"].get("metrics", []):
                if isinstance(metric[0], str):
                    yield name, metric[0], metric[1]
                else:
                    yield name, "SecretsRotation", re.search(r'MetricName="(\w+)"', metric[0]["expression"])[1]
