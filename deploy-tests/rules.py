"""Rules for template.yaml that linters do not have: each takes the parsed template and returns what
is wrong with it, in words. cfn-lint finds nothing in a template that breaks all of them."""

import json
import re

from asking import (
    alternating_users_have_an_admin,
    parameters_with_a_unit_say_it,
    what_is_missing_is_told_before_anything_is_made,
)
from reading import (  # noqa: F401
    ROOT,
    actions,
    as_list,
    condition_keys,
    granted,
    is_wide,
    load_template,
    names_the_code_reads,
    parse,
    resources,
    statements,
)
from watching import alarms_watch_what_is_measured, all_who_must_act_raise_an_alarm, rules_only_check

# What the functions call. Tests of the built binaries record their calls and hold them against this list
# (lambda/tests/whole_path.rs, lambda/tests/iam_key.rs), and the rules below hold the policies against it: so a
# policy allows what the code calls, and nothing else.
CALLED = json.loads((ROOT / "deploy-tests" / "actions.json").read_text())
ROTATED_SECRET_ACTIONS = set(CALLED["rotated_secret"])
ACCESS_KEY_ACTIONS = set(CALLED["access_keys"])
# What RDS is asked about an admin's secret that it manages, each with the only resource that it is for.
OWN_RDS = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}"
DATABASE_ACTIONS = {
    "rds:DescribeDBInstances": f"{OWN_RDS}:db:*",
    "rds:DescribeDBClusters": f"{OWN_RDS}:cluster:*",
}
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


# --- Rules ---


def no_wildcard_action(template):
    return [
        f"{where} allows {action}"
        for where, statement in granted(template)
        for action in actions(statement)
        if "*" in action
    ]


def only_actions_in_use(template):
    known = ROTATED_SECRET_ACTIONS | NETWORK_ACTIONS | ACCESS_KEY_ACTIONS | set(DATABASE_ACTIONS)
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
        if actions(statement) <= NETWORK_ACTIONS or actions(statement) <= set(DATABASE_ACTIONS):
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


def databases_described_for_their_admin_alone(template):
    """Questions about databases only where an admin's secret is given, and of this account and region."""
    wrong = []
    for where, statement in granted(template):
        for action in sorted(actions(statement) & set(DATABASE_ACTIONS)):
            if statement["Resource"] != {"Fn::Sub": DATABASE_ACTIONS[action]}:
                wrong.append(f"{where} allows {action} on more than the databases of this account and region")
            if not _is_given_only_if(template, statement, "HasDatabaseAdmin"):
                wrong.append(f"{where} allows {action} without an admin's secret")
    admin = {"Ref": "superuserSecretArn"}
    for where, statement in granted(template):
        if statement["Resource"] == admin and actions(statement) & {"secretsmanager:DescribeSecret"}:
            if not _is_given_only_if(template, statement, "HasDatabaseAdmin"):
                wrong.append(f"{where} shows the tags of a secret that is no database admin's")
    if "HasAdmin" not in json.dumps(template["Conditions"].get("HasDatabaseAdmin", "")):
        wrong.append("HasDatabaseAdmin does not ask for an admin's secret")
    return wrong


def _is_given_only_if(template, statement, condition):
    """Whether the statement stands in a policy as `!If [condition, statement, otherwise]`."""
    return any(
        element.get("Fn::If", [None])[0] == condition and element["Fn::If"][1] is statement
        for resource in template["Resources"].values()
        for policy in resource.get("Properties", {}).get("Policies", [])
        for element in policy["PolicyDocument"]["Statement"]
    )


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
    databases_described_for_their_admin_alone,
    alternating_users_have_an_admin,
    what_is_missing_is_told_before_anything_is_made,
    no_literal_secret,
    parameters_with_a_unit_say_it,
    function_log_is_kept_for_a_time,
    own_role_only,
    reader_reads_one_secret,
    no_inbound_door,
    only_known_environment_variables,
    every_environment_variable_can_be_set,
]
