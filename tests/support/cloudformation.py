"""The template of infra/aws as CloudFormation gets it, with its conditions evaluated."""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
ACCOUNT = "123456789012"
CLUSTER = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/goals/0a1b2c3d-1"

Template = dict[str, Any]


def secret(name: str) -> str:
    """The ARN of a secret."""
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"


MSK = {
    "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/goalstream:1",
    "SubnetIds": "subnet-a,subnet-b",
    "SecurityGroupIds": "sg-a",
    "KafkaClusterArn": CLUSTER,
    "KafkaBootstrapServers": "b-1.goals:9098,b-2.goals:9098",
    "DatabaseAddress": "database:5432/goalstream?sslmode=verify-full",
    "DatabaseOwnerSecretArn": secret("owner"),
    "DatabaseWriterSecretArn": secret("writer"),
    "DatabaseReaderSecretArn": secret("reader"),
    "CacheUrl": "rediss://cache:6379",
    "ApiKeysSecretArn": secret("keys"),
}
SELF_MANAGED = {
    **{
        name: value
        for name, value in MSK.items()
        if name not in {"KafkaClusterArn", "DatabaseAddress"}
    },
    "KafkaSaslMechanism": "SCRAM-SHA-512",
    "KafkaSecretArn": secret("kafka"),
    "KafkaCaSecretArn": secret("kafka-ca"),
    "CacheSecretArn": secret("cache"),
    "ReadApiKeysSecretArn": secret("read-keys"),
    "SecretsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1",
    "GroupPrefix": "try-",
}


@cache
def read(name: str) -> Template:
    """Read a template of the folder; the result is cached and must not be changed."""
    template: Template = yaml_parse((ROOT / "infra/aws" / name).read_text())
    return template


def transformed(parameters: Mapping[str, str]) -> Template:
    """The template after SAM's transformation, with its conditions evaluated for these parameters.

    No Fn::If is left in it: moto leaves a hole in a list where CloudFormation leaves nothing.
    """
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    out: Template = translator.translate(deepcopy(read("template.yaml")), dict(parameters))
    defaults = {name: each.get("Default") for name, each in out["Parameters"].items()}
    given = {**defaults, **parameters}
    decide = Conditions(out.pop("Conditions"), given)
    out.pop("Rules", None)
    resources = {
        name: decide.within(resource)
        for name, resource in out["Resources"].items()
        if decide.holds(resource.pop("Condition", None))
    }
    return {**decide.within(out), "Resources": resources}


class Conditions:
    """The values of a template's conditions."""

    def __init__(self, conditions: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self.holds = cache(lambda name: name is None or bool(self._value(conditions[name])))

    def within(self, part: Any) -> Any:
        """Evaluate the conditions in a part of the template."""
        if isinstance(part, list):
            return [each for each in map(self.within, part) if each is not None]
        if not isinstance(part, dict):
            return part
        if part == {"Ref": "AWS::NoValue"}:
            return None
        if "Fn::If" in part:
            name, yes, no = part["Fn::If"]
            return self.within(yes if self.holds(name) else no)
        decided = {name: self.within(each) for name, each in part.items()}
        return {name: each for name, each in decided.items() if each is not None}

    def _value(self, part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        [(name, of)] = part.items()
        if name == "Fn::Equals":
            return self._value(of[0]) == self._value(of[1])
        if name == "Fn::Not":
            return not self._value(of[0])
        if name == "Fn::And":
            return all(map(self._value, of))
        return self.holds(of) if name == "Condition" else self._parameters[of]
