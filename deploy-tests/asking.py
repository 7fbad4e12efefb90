"""Rules for what the template asks for: its parameters, and what it refuses before anything is made."""


def alternating_users_have_an_admin(template):
    """What CloudFormation says before it makes anything."""
    wrong = []
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin-AbCdEf"
    for rotates, strategy, admin, allowed in [
        ("postgres", "alternating_users", "", False),
        ("postgres", "alternating_users", arn, True),
        ("postgres", "single_user", "", True),
        ("postgres", "single_user", arn, True),
        # Its users cannot change their passwords.
        ("rabbitmq", "single_user", "", False),
        ("rabbitmq", "single_user", arn, True),
    ]:
        values = {"rotates": rotates, "strategy": strategy, "superuserSecretArn": admin}
        if _is_allowed(template, values) != allowed:
            wrong.append(f"{values} is {'refused' if allowed else 'allowed'}")
    return wrong


def what_is_missing_is_told_before_anything_is_made(template):
    """Stacks that look whole, and whose first rotation would fail."""
    wrong = []
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf"
    user = "arn:aws:iam::123456789012:user/app"
    for values, allowed in [
        ({"rotates": "bearer-token"}, False),
        ({"rotates": "bearer-token", "superuserSecretArn": arn}, True),
        ({"rotates": "bearer-token", "superuserSecretArn": arn, "apiKeys": "two"}, False),
        ({"rotates": "bearer-token", "superuserSecretArn": arn, "apiKeys": "two", "secondApiKeySecretArn": arn}, True),
        ({"rotates": "iam-key"}, False),
        ({"rotates": "iam-key", "iamUserArn": user}, True),
        ({"rotates": "iam-key", "superuserSecretArn": arn}, True),
        ({"rotates": "iam-key", "keysManagedBy": "user"}, True),
        ({"rotates": "oauth"}, False),
        ({"rotates": "oauth", "configuration": "{}"}, True),
        ({"rotates": "api-key"}, False),
        ({"rotates": "api-key", "configuration": "{}"}, True),
        ({"rotates": "redis", "strategy": "alternating_users", "superuserSecretArn": arn}, False),
        ({"rotates": "redis"}, True),
        ({"rotates": "sqlserver", "strategy": "alternating_users", "superuserSecretArn": arn}, True),
    ]:
        if _is_allowed(template, values) != allowed:
            wrong.append(f"{values} is {'refused' if allowed else 'allowed'}")
    return wrong


def _is_allowed(template, values):
    """Whether the section Rules lets these values of parameters pass; all others have their defaults."""
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    values = defaults | values
    return all(
        _holds(assertion["Assert"], values)
        for rule in template.get("Rules", {}).values()
        if _holds(rule.get("RuleCondition", True), values)
        for assertion in rule["Assertions"]
    )


def _holds(expression, values):
    if isinstance(expression, list):
        return [_holds(one, values) for one in expression]
    if not isinstance(expression, dict):
        return expression
    [(function, operand)] = expression.items()
    if function == "Ref":
        return values[operand]
    operands = [_holds(one, values) for one in operand]
    return {
        "Fn::Equals": lambda: operands[0] == operands[1],
        "Fn::Not": lambda: not operands[0],
        "Fn::And": lambda: all(operands),
        "Fn::Or": lambda: any(operands),
        "Fn::Contains": lambda: operands[1] in operands[0],
    }[function]()


def parameters_with_a_unit_say_it(template):
    """Whoever is asked for a number is told of what."""
    units = {"Seconds": "seconds", "Days": "days", "Megabytes": "megabytes", "Length": "characters"}
    return [
        f"the parameter {name} does not say that it is in {unit}"
        for name, parameter in template["Parameters"].items()
        for suffix, unit in units.items()
        if name.endswith(suffix) and unit not in parameter["Description"].lower()
    ]
