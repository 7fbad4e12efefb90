"""Reads template.yaml, and finds things in it."""

import copy
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent

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
