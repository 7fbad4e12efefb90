"""Rules for template.yaml that linters do not have: each takes the parsed template and returns what
is wrong with it, in words. cfn-lint finds nothing in a template that breaks all of them."""

import copy
import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent

# What the functions call. Tests of the built binaries record their calls and hold them against this list
# (lambda/tests/whole_path.rs, lambda/tests/iam_key.rs), and the rules below hold the policies against it: so a
# policy allows what the code calls, and nothing else.
CALLED = json.loads((Path(__file__).parent / "actions.json").read_text())
ROTATED_SECRET_ACTIONS = set(CALLED["rotated_secret"])
ACCESS_KEY_ACTIONS = set(CALLED["access_keys"])
OWNER_CONDITION = "secretsmanager:resource/AllowRotationLambdaArn"
# EC2 has no narrower resource than "*" for what Lambda does to attach a function to a VPC.
NETWORK_ACTIONS = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}


# --- Parsing ---


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` is read as `{"Fn::Sub": x}`."""


def _short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def parse(file):
    return yaml.load(file.read_text(), _Loader)


def load_template():
    template = parse(ROOT / "template.yaml")
    for function in resources(template, "AWS::Serverless::Function").values():
        function["Properties"] = _merged(template["Globals"]["Function"], function["Properties"])
    return template


def _merged(common, own):
    """What SAM makes of `Globals`: maps are merged, and the function's own value wins."""
    if not (isinstance(common, dict) and isinstance(own, dict)):
        return copy.deepcopy(own)
    merged = copy.deepcopy(common)
    for key, value in own.items():
        merged[key] = _merged(common.get(key), value)
    return merged


def names_the_code_reads():
    """The environment variables that the code of the functions names, tests and comments aside."""
    names = set()
    for file in sorted((ROOT / "lambda" / "src").rglob("*.rs")):
        code = file.read_text().split("#[cfg(test)]")[0]
        code = re.sub(r"^\s*//.*", "", code, flags=re.MULTILINE)
        names |= set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', code))
        # A name of one word could be anything, unless it is what is read.
        names |= set(re.findall(r'\benv\.\w+\(\s*"([A-Z]+)"', code))
    return names


# --- Looking around in a template ---


def resources(template, kind):
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def statements(template):
    """(where, statement) of each policy of the template, whatever its condition says."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        for document in documents:
            for statement in _alternatives(document["Statement"]):
                yield f"{name}/{statement.get('Sid', '?')}", statement


def granted(template):
    return [(where, s) for where, s in statements(template) if s["Effect"] == "Allow"]


def _alternatives(value):
    """The statements in a list whose elements may be `!If [condition, statement, otherwise]`."""
    for element in value if isinstance(value, list) else [value]:
        if "Fn::If" in element:
            yield from _alternatives(element["Fn::If"][1:])
        elif element != {"Ref": "AWS::NoValue"}:
            yield element


def as_list(value):
    return value if isinstance(value, list) else [value]


def actions(statement):
    return set(as_list(statement["Action"]))


def condition_keys(statement):
    return {key for operands in statement.get("Condition", {}).values() for key in operands}


def is_wide(resource):
    """Whether a resource stands for more than one thing: "*", or any secret or key."""
    if resource == "*":
        return True
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    return isinstance(text, str) and text.endswith((":*", "/*", ":secret:*"))


# --- Rules ---


def no_wildcard_action(template):
    return [
        f"{where} allows {action}"
        for where, statement in granted(template)
        for action in actions(statement)
        if "*" in action
    ]


def only_actions_in_use(template):
    known = ROTATED_SECRET_ACTIONS | NETWORK_ACTIONS | ACCESS_KEY_ACTIONS
    known |= {"kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"}
    known |= {"logs:CreateLogStream", "logs:PutLogEvents"}
    return [
        f"{where} allows {action}, which nothing here calls"
        for where, statement in granted(template)
        for action in sorted(actions(statement) - known)
    ]


def all_actions_in_use(template):
    """What the code calls is allowed, in one statement each."""
    wrong = []
    for called in (ROTATED_SECRET_ACTIONS, ACCESS_KEY_ACTIONS):
        if not any(called == actions(statement) for _, statement in granted(template)):
            wrong.append(f"no statement allows just {sorted(called)}")
    return wrong


def no_statement_by_exclusion(template):
    return [
        f"{where} has {key}"
        for where, statement in granted(template)
        for key in ("NotAction", "NotResource", "NotPrincipal")
        if key in statement
    ]


def wide_resource_only_where_the_function_rotates(template):
    wrong = []
    for where, statement in granted(template):
        if not any(is_wide(resource) for resource in as_list(statement["Resource"])):
            continue
        if actions(statement) <= NETWORK_ACTIONS:
            continue
        owner = statement.get("Condition", {}).get("StringEquals", {}).get(OWNER_CONDITION)
        if not owner:
            wrong.append(f"{where} is for any resource, without {OWNER_CONDITION}")
        elif "function:${functionName}" not in json.dumps(owner) or "*" in json.dumps(owner):
            wrong.append(f"{where}: {OWNER_CONDITION} is not this function's ARN")
    for name, function in resources(template, "AWS::Serverless::Function").items():
        if function["Properties"].get("FunctionName") != {"Ref": "functionName"}:
            wrong.append(f"{name} has another name than the one in {OWNER_CONDITION}")
    return wrong


def network_actions_denied_to_the_code(template):
    wrong = []
    for where, statement in granted(template):
        network = actions(statement) & NETWORK_ACTIONS
        denied = {
            action
            for _, other in statements(template)
            if other["Effect"] == "Deny" and "lambda:SourceFunctionArn" in condition_keys(other)
            for action in actions(other)
        }
        if network - denied:
            wrong.append(f"{where} allows the function's own code {sorted(network - denied)}")
    return wrong


def keys_only_through_secrets_manager(template):
    wrong = []
    for where, statement in granted(template):
        uses = {action for action in actions(statement) if action.startswith("kms:")}
        if not uses:
            continue
        if "kms:ViaService" not in condition_keys(statement):
            wrong.append(f"{where} lets the key be used outside of Secrets Manager")
        if uses != {"kms:DescribeKey"} and "kms:EncryptionContext:SecretARN" not in condition_keys(statement):
            wrong.append(f"{where} lets the key be used for any secret")
        # That call carries no encryption context: with the condition it is never allowed.
        if "kms:DescribeKey" in uses and "kms:EncryptionContext:SecretARN" in condition_keys(statement):
            wrong.append(f"{where} never allows kms:DescribeKey")
    return wrong


def permission_names_the_account(template):
    return [
        f"{name} lets a secret of any account call the function"
        for name, permission in resources(template, "AWS::Lambda::Permission").items()
        if permission["Properties"].get("SourceAccount") != {"Ref": "AWS::AccountId"}
    ]


def permission_is_for_secrets_manager_and_the_check(template):
    rules = resources(template, "AWS::Events::Rule")
    callers, wrong = set(), []
    for name, permission in resources(template, "AWS::Lambda::Permission").items():
        granted = permission["Properties"]
        callers.add(granted.get("Principal"))
        if granted.get("Principal") == "events.amazonaws.com":
            source = granted.get("SourceArn", {}).get("Fn::GetAtt", [None])[0]
            if source not in rules:
                wrong.append(f"{name} lets any rule of the account call the function")
        elif granted.get("Principal") != "secretsmanager.amazonaws.com":
            wrong.append(f"{name} is for {granted.get('Principal')}")
    if "secretsmanager.amazonaws.com" not in callers:
        wrong.append("Secrets Manager may not call the function")
    return wrong


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


def permission_precedes_the_schedule(template):
    permissions = set(resources(template, "AWS::Lambda::Permission"))
    return [
        f"{name} may be made before the permission to call the function"
        for name, schedule in resources(template, "AWS::SecretsManager::RotationSchedule").items()
        if not permissions & set(as_list(schedule.get("DependsOn", [])))
    ]


def one_schedule_a_secret(template):
    seen, wrong = set(), []
    for name, schedule in resources(template, "AWS::SecretsManager::RotationSchedule").items():
        secret = json.dumps(schedule["Properties"]["SecretId"], sort_keys=True)
        if secret in seen:
            wrong.append(f"{name} is a second schedule of {secret}")
        seen.add(secret)
    return wrong if seen else ["no secret is scheduled"]


def access_keys_of_one_user(template):
    return [
        f"{where} is not for the one user"
        for where, statement in granted(template)
        if actions(statement) & ACCESS_KEY_ACTIONS and statement["Resource"] != {"Ref": "iamUserArn"}
    ]


def no_literal_secret(template):
    """No value made up in the template where a credential is meant: they come from Secrets Manager."""
    wrong = []
    for name, secret in resources(template, "AWS::SecretsManager::Secret").items():
        if "SecretString" in secret.get("Properties", {}):
            wrong.append(f"{name} has its SecretString in the template")
    telling = re.compile(r"password$|secret(string|key)?$|token$|private_?key$", re.IGNORECASE)
    for name, parameter in template["Parameters"].items():
        if telling.search(name) and (parameter.get("Default") or not parameter.get("NoEcho")):
            wrong.append(f"the parameter {name} shows a secret")
    for path, value in _leaves(template):
        if isinstance(value, str) and value and telling.search(path[-1]) and path[0] != "Outputs":
            wrong.append(f"{'.'.join(path)} is a literal")
        if isinstance(value, str) and re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b", value):
            wrong.append(f"{'.'.join(path)} holds a key")
    return wrong


def _leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, value


def function_log_is_kept_for_a_time(template):
    wrong = []
    logs = resources(template, "AWS::Logs::LogGroup")
    for name, log in logs.items():
        if not log["Properties"].get("RetentionInDays"):
            wrong.append(f"{name} is kept for ever")
    for name, function in resources(template, "AWS::Serverless::Function").items():
        target = function["Properties"].get("LoggingConfig", {}).get("LogGroup", {})
        if not (isinstance(target, dict) and target.get("Ref") in logs):
            wrong.append(f"{name} logs to a group that is not in the template")
    return wrong


def own_role_only(template):
    """SAM adds a managed policy with logs on any resource to a role that it makes itself."""
    wrong = []
    for name, function in resources(template, "AWS::Serverless::Function").items():
        if "Role" not in function["Properties"] or "Policies" in function["Properties"]:
            wrong.append(f"{name} has a role made by SAM")
    for name, role in resources(template, "AWS::IAM::Role").items():
        if role["Properties"].get("ManagedPolicyArns"):
            wrong.append(f"{name} has managed policies")
    return wrong


def reader_reads_one_secret(template):
    wrong = []
    for where, statement in granted(template):
        if where.split("/")[0] not in resources(template, "AWS::IAM::ManagedPolicy"):
            continue
        if not actions(statement) <= {"secretsmanager:GetSecretValue", "kms:Decrypt"}:
            wrong.append(f"{where} allows more than to read")
        if "secretsmanager:GetSecretValue" in actions(statement) and statement["Resource"] != {"Ref": "secretArn"}:
            wrong.append(f"{where} is not for the one secret")
    return wrong


def no_inbound_door(template):
    """A function that hands out database passwords has neither a URL nor an event source."""
    return [
        f"{name} has {key}"
        for name, function in resources(template, "AWS::Serverless::Function").items()
        for key in ("FunctionUrlConfig", "Events")
        if key in function["Properties"]
    ]


def only_known_environment_variables(template):
    known = names_the_code_reads()
    return [
        f"{name} is given {variable}, which the code does not read"
        for name, function in resources(template, "AWS::Serverless::Function").items()
        for variable in function["Properties"].get("Environment", {}).get("Variables", {})
        if variable not in known
    ]


def every_environment_variable_can_be_set(template):
    # Lambda itself sets these, and refuses a template that does.
    wanted = {name for name in names_the_code_reads() if not name.startswith(("AWS_", "LAMBDA_"))}
    given = {
        variable
        for function in resources(template, "AWS::Serverless::Function").values()
        for variable in function["Properties"].get("Environment", {}).get("Variables", {})
    }
    return [f"the code reads {name}, which no function is given" for name in sorted(wanted - given)]


RULES = [
    no_wildcard_action,
    only_actions_in_use,
    all_actions_in_use,
    no_statement_by_exclusion,
    wide_resource_only_where_the_function_rotates,
    network_actions_denied_to_the_code,
    keys_only_through_secrets_manager,
    permission_names_the_account,
    permission_is_for_secrets_manager_and_the_check,
    rules_only_check,
    alarms_watch_what_is_measured,
    all_who_must_act_raise_an_alarm,
    permission_precedes_the_schedule,
    one_schedule_a_secret,
    access_keys_of_one_user,
    no_literal_secret,
    function_log_is_kept_for_a_time,
    own_role_only,
    reader_reads_one_secret,
    no_inbound_door,
    only_known_environment_variables,
    every_environment_variable_can_be_set,
]
