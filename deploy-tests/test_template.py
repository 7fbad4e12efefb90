"""template.yaml keeps the rules, and each rule finds the template that breaks it."""

import copy
import json

import pytest
import rules

GOOD = rules.load_template()


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_the_rule(rule):
    assert rule(GOOD) == []


# --- Deliberately bad templates ---

BAD = []


def breaks(rule):
    """The decorated function spoils a template so that the rule must find something."""

    def register(spoil):
        BAD.append(pytest.param(rule, spoil, id=f"{rule.__name__}-{spoil.__name__}"))
        return spoil

    return register


def properties(template, name):
    return template["Resources"][name]["Properties"]


def statement(template, sid):
    found = [s for _, s in rules.statements(template) if s.get("Sid") == sid]
    assert found, f"the template has no statement {sid} any more"
    return found[0]


def add_statement(template, **added):
    policy = properties(template, "FunctionRole")["Policies"][0]["PolicyDocument"]
    policy["Statement"].append({"Sid": "Added", "Effect": "Allow", **added})


@breaks(rules.no_wildcard_action)
def every_action_of_the_service(template):
    statement(template, "RotatedSecrets")["Action"] = "secretsmanager:*"


@breaks(rules.no_wildcard_action)
def actions_by_prefix(template):
    add_statement(template, Action=["secretsmanager:Get*"], Resource={"Ref": "secretArn"})


@breaks(rules.only_actions_in_use)
def random_password(template):
    add_statement(template, Action="secretsmanager:GetRandomPassword", Resource="*")


@breaks(rules.only_actions_in_use)
def delete_secret(template):
    statement(template, "RotatedSecrets")["Action"].append("secretsmanager:DeleteSecret")


@breaks(rules.only_actions_in_use)
def make_log_groups(template):
    statement(template, "OwnLog")["Action"].append("logs:CreateLogGroup")


@breaks(rules.all_actions_in_use)
def secrets_that_cannot_be_written(template):
    statement(template, "RotatedSecrets")["Action"].remove("secretsmanager:PutSecretValue")


@breaks(rules.all_actions_in_use)
def keys_that_cannot_be_deleted(template):
    statement(template, "AccessKeys")["Action"].remove("iam:DeleteAccessKey")


@breaks(rules.no_statement_by_exclusion)
def all_but(template):
    statement(template, "RotatedSecrets")["NotAction"] = "iam:CreateUser"


@breaks(rules.wide_resource_only_where_the_function_rotates)
def any_secret(template):
    del statement(template, "RotatedSecrets")["Condition"]


@breaks(rules.wide_resource_only_where_the_function_rotates)
def any_rotating_function(template):
    statement(template, "RotatedSecrets")["Condition"]["StringEquals"][rules.OWNER_CONDITION] = "*"


@breaks(rules.wide_resource_only_where_the_function_rotates)
def owner_compared_loosely(template):
    rotated = statement(template, "RotatedSecrets")
    rotated["Condition"] = {"StringLike": rotated["Condition"]["StringEquals"]}


@breaks(rules.wide_resource_only_where_the_function_rotates)
def any_admin_secret(template):
    statement(template, "AdminSecret")["Resource"] = "*"


@breaks(rules.wide_resource_only_where_the_function_rotates)
def any_log(template):
    statement(template, "OwnLog")["Resource"] = {"Fn::Sub": "arn:${AWS::Partition}:logs:*:*:*"}


@breaks(rules.wide_resource_only_where_the_function_rotates)
def function_with_another_name(template):
    properties(template, "RotatePostgres")["FunctionName"] = "another"


@breaks(rules.network_actions_denied_to_the_code)
def no_denial(template):
    statement(template, "NoNetworkInterfacesForTheCode")["Condition"] = {}


@breaks(rules.network_actions_denied_to_the_code)
def denial_with_a_gap(template):
    statement(template, "NoNetworkInterfacesForTheCode")["Action"].remove("ec2:DeleteNetworkInterface")


@breaks(rules.keys_only_through_secrets_manager)
def key_for_any_service(template):
    del statement(template, "SecretKey")["Condition"]["StringEquals"]


@breaks(rules.keys_only_through_secrets_manager)
def key_for_any_secret(template):
    del statement(template, "AdminSecretKey")["Condition"]["StringEquals"]["kms:EncryptionContext:SecretARN"]


@breaks(rules.keys_only_through_secrets_manager)
def description_that_is_never_allowed(template):
    statement(template, "SecretKey")["Action"].append("kms:DescribeKey")


@breaks(rules.permission_names_the_account)
def permission_for_any_account(template):
    del properties(template, "InvokePermission")["SourceAccount"]


@breaks(rules.permission_is_for_secrets_manager_and_the_check)
def permission_for_everybody(template):
    properties(template, "InvokePermission")["Principal"] = "*"


@breaks(rules.permission_is_for_secrets_manager_and_the_check)
def permission_for_nobody(template):
    del template["Resources"]["InvokePermission"]


@breaks(rules.permission_is_for_secrets_manager_and_the_check)
def permission_for_any_rule(template):
    del properties(template, "CheckPermission")["SourceArn"]


@breaks(rules.rules_only_check)
def rule_that_rotates(template):
    properties(template, "Check")["Targets"][0]["Input"] = '{"Step": "finishSecret"}'


@breaks(rules.rules_only_check)
def rule_on_any_event(template):
    del properties(template, "Check")["ScheduleExpression"]


@breaks(rules.alarms_watch_what_is_measured)
def alarm_on_what_nothing_emits(template):
    properties(template, "IsStuck")["MetricName"] = "Jammed"


@breaks(rules.alarms_watch_what_is_measured)
def alarm_that_tells_nobody(template):
    del properties(template, "IsStuck")["AlarmActions"]


@breaks(rules.alarms_watch_what_is_measured)
def no_dashboard(template):
    del template["Resources"]["Dashboard"]


@breaks(rules.all_who_must_act_raise_an_alarm)
def permissions_unwatched(template):
    metrics = properties(template, "SomebodyMustAct")["Metrics"]
    metrics[:] = [metric for metric in metrics if metric["Id"] != "permissions"]


@breaks(rules.permission_precedes_the_schedule)
def schedule_in_no_order(template):
    del template["Resources"]["Schedule"]["DependsOn"]


@breaks(rules.permission_precedes_the_schedule)
def schedule_after_something_else(template):
    template["Resources"]["Schedule"]["DependsOn"] = ["FunctionLog"]


@breaks(rules.one_schedule_a_secret)
def two_schedules(template):
    template["Resources"]["Another"] = copy.deepcopy(template["Resources"]["Schedule"])


@breaks(rules.one_schedule_a_secret)
def no_schedule(template):
    del template["Resources"]["Schedule"]


@breaks(rules.access_keys_of_one_user)
def access_keys_of_all_users(template):
    statement(template, "AccessKeys")["Resource"] = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:user/app"}


@breaks(rules.databases_described_for_their_admin_alone)
def databases_of_all_accounts(template):
    statement(template, "AdminServer")["Resource"] = "*"


@breaks(rules.databases_described_for_their_admin_alone)
def clusters_where_instances_are_meant(template):
    statement(template, "AdminServer")["Action"] = ["rds:DescribeDBInstances", "rds:DescribeDBClusters"]


@breaks(rules.databases_described_for_their_admin_alone)
def databases_without_an_admin(template):
    resource = {"Fn::Sub": rules.DATABASE_ACTIONS["rds:DescribeDBInstances"]}
    add_statement(template, Action="rds:DescribeDBInstances", Resource=resource)


@breaks(rules.databases_described_for_their_admin_alone)
def tags_of_every_second_secret(template):
    action = "secretsmanager:DescribeSecret"
    add_statement(template, Action=action, Resource={"Ref": "superuserSecretArn"})


@breaks(rules.databases_described_for_their_admin_alone)
def databases_whatever_is_given(template):
    template["Conditions"]["HasDatabaseAdmin"] = {"Condition": "RotatesPostgres"}


@breaks(rules.only_actions_in_use)
def databases_changed(template):
    statement(template, "AdminServer")["Action"] = ["rds:ModifyDBInstance"]


@breaks(rules.alternating_users_have_an_admin)
def no_rule(template):
    del template["Rules"]


@breaks(rules.alternating_users_have_an_admin)
def rule_for_everybody(template):
    for rule in template["Rules"].values():
        del rule["RuleCondition"]


@breaks(rules.alternating_users_have_an_admin)
def rule_that_always_holds(template):
    for rule in template["Rules"].values():
        rule["Assertions"][0]["Assert"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "strategy"}, ""]}]}


@breaks(rules.what_is_missing_is_told_before_anything_is_made)
def nothing_is_told(template):
    del template["Rules"]


@breaks(rules.what_is_missing_is_told_before_anything_is_made)
def one_api_key_is_enough_for_two(template):
    template["Rules"]["BearerTokensHaveAnApiKey"]["Assertions"].pop()


@breaks(rules.what_is_missing_is_told_before_anything_is_made)
def keys_that_nobody_may_make(template):
    del template["Rules"]["AccessKeysHaveAManager"]


@breaks(rules.what_is_missing_is_told_before_anything_is_made)
def two_users_of_redis(template):
    del template["Rules"]["AlternatingUsersWhereThereAreSome"]


@breaks(rules.parameters_with_a_unit_say_it)
def seconds_of_nobody_knows_what(template):
    template["Parameters"]["propagationSeconds"]["Description"] = "How long a new key may be refused."


@breaks(rules.no_literal_secret)
def secret_with_its_value(template):
    template["Resources"]["Secret"] = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"SecretString": {"Fn::Sub": '{"password":"hunter2"}'}},
    }


@breaks(rules.no_literal_secret)
def password_in_the_environment(template):
    properties(template, "RotatePostgres")["Environment"]["Variables"]["ADMIN_PASSWORD"] = "hunter2"


@breaks(rules.no_literal_secret)
def password_as_a_default(template):
    template["Parameters"]["adminPassword"] = {"Type": "String", "NoEcho": True, "Default": "hunter2"}


@breaks(rules.no_literal_secret)
def access_key_in_a_description(template):
    template["Description"] = "Works with AKIAIOSFODNN7EXAMPLE."


@breaks(rules.function_log_is_kept_for_a_time)
def log_for_ever(template):
    del properties(template, "FunctionLog")["RetentionInDays"]


@breaks(rules.function_log_is_kept_for_a_time)
def log_made_by_lambda(template):
    del properties(template, "RotatePostgres")["LoggingConfig"]


@breaks(rules.own_role_only)
def role_made_by_sam(template):
    function = properties(template, "RotatePostgres")
    del function["Role"]
    function["Policies"] = ["SecretsManagerReadWrite"]


@breaks(rules.own_role_only)
def managed_policies(template):
    properties(template, "FunctionRole")["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]


@breaks(rules.reader_reads_one_secret)
def reader_of_all(template):
    statement_of_the_reader(template)["Resource"] = "*"


@breaks(rules.reader_reads_one_secret)
def reader_that_writes(template):
    statement_of_the_reader(template)["Action"] = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]


def statement_of_the_reader(template):
    return properties(template, "ReaderPolicy")["PolicyDocument"]["Statement"][0]


@breaks(rules.no_inbound_door)
def function_url(template):
    properties(template, "RotatePostgres")["FunctionUrlConfig"] = {"AuthType": "NONE"}


@breaks(rules.only_known_environment_variables)
def misspelt_variable(template):
    properties(template, "RotatePostgres")["Environment"]["Variables"]["EXCLUDE_CHARACTER"] = ":"


@breaks(rules.every_environment_variable_can_be_set)
def forgotten_variable(template):
    del properties(template, "RotatePostgres")["Environment"]["Variables"]["PASSWORD_FORM"]


@breaks(rules.every_environment_variable_can_be_set)
def forgotten_variable_of_the_other_function(template):
    del properties(template, "RotateBearerToken")["Environment"]["Variables"]["API_KEYS"]


@pytest.mark.parametrize("rule, spoil", BAD)
def test_the_rule_finds_the_bad_template(rule, spoil):
    bad = copy.deepcopy(GOOD)
    spoil(bad)
    assert json.dumps(bad) != json.dumps(GOOD)
    found = rule(bad)
    assert found and found != rule(GOOD)


def test_every_rule_is_seen_to_fail():
    assert {parameters.values[0] for parameters in BAD} == set(rules.RULES)
