"""The template of infra/aws, deployed to moto's CloudFormation, and the resources that it creates.

Moto takes no event source mapping of Kafka and no deployment of an API that its document describes,
and passes over web ACLs, alarms and metric filters: tests/functional/test_aws_template.py looks at
these.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.cloudformation import (
    ACCOUNT,
    CLUSTER,
    MSK,
    REGION,
    ROOT,
    SELF_MANAGED,
    Template,
    secret,
    transformed,
)
from tests.support.iam_policies import Statement, allows

NAME = "goals"
UNSUPPORTED_BY_MOTO = {
    "AWS::Lambda::EventSourceMapping",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
}
NAMES = ("ingest-event", "list-highlights", "get-highlight", "consume-goal", "enrich-batch")
WITH_DATABASE = ("list-highlights", "get-highlight", "consume-goal", "enrich-batch", "prepare")
READ = "secretsmanager:GetSecretValue"

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse .* but it's not supported by moto")


class Stack:
    """A stack at moto, and its clients."""

    def __init__(self, name: str, parameters: Mapping[str, str]) -> None:
        self.name = name
        self.client = cache(lambda service: boto3.client(service, region_name=REGION))
        self.statements = cache(self._find_statements)
        self.template = self._supported_by_moto(transformed(parameters))
        self._cloudformation = self.client("cloudformation")
        self._cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(self.template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        created = self._cloudformation.list_stack_resources(StackName=name)[
            "StackResourceSummaries"
        ]
        self.ids = {each["LogicalResourceId"]: each.get("PhysicalResourceId") for each in created}
        functions = self.client("lambda").list_functions()["Functions"]
        self.functions = {
            each["FunctionName"].removeprefix(f"{name}-"): each
            for each in functions
            if each["FunctionName"].startswith(f"{name}-")
        }

    @staticmethod
    def _supported_by_moto(template: Template) -> Template:
        resources = {
            name: each
            for name, each in template["Resources"].items()
            if each["Type"] not in UNSUPPORTED_BY_MOTO
        }
        return {**template, "Resources": resources}

    def environment(self, function: str) -> dict[str, str]:
        """The variables of a function."""
        variables: dict[str, str] = self.functions[function]["Environment"]["Variables"]
        return variables

    def _find_statements(self, function: str) -> list[Statement]:
        """The statements of a function's role: its own, and those of the policies it names."""
        iam = self.client("iam")
        role = self.functions[function]["Role"].rpartition("/")[2]
        [logical] = [name for name, physical in self.ids.items() if physical == role]
        own = iam.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
        found: list[Statement] = _statements(own)
        for managed in self.template["Resources"][logical]["Properties"]["ManagedPolicyArns"]:
            arn = self.ids[managed["Ref"]]
            version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
            found += _statements(version["Document"])
        return found


def _statements(document: Any) -> list[Statement]:
    """The statements of a policy document, in the form of CloudFormation's parser."""
    read = ast.literal_eval(document) if isinstance(document, str) else document
    return list(read["Statement"])


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    """Moto instead of AWS."""
    with mock_aws():
        yield


@pytest.fixture(scope="module")
def msk() -> Stack:
    """A stack beside MSK, with IAM."""
    return Stack(NAME, MSK)


@pytest.fixture(scope="module")
def self_managed() -> Stack:
    """A stack beside a Kafka of one's own."""
    return Stack("own", SELF_MANAGED)


@pytest.fixture(params=["msk", "self_managed"])
def both(request: pytest.FixtureRequest) -> Stack:
    """Both stacks."""
    stack: Stack = request.getfixturevalue(request.param)
    return stack


def test_each_function_is_the_image_with_its_own_source(both: Stack) -> None:
    """FUNCTION_SOURCE is a file of the repository that has FUNCTION_TARGET in it."""
    assert both.functions.keys() == {*NAMES, "prepare"}
    for name in NAMES:
        environment = both.environment(name)
        source = (ROOT / environment["FUNCTION_SOURCE"]).read_text()
        assert environment["FUNCTION_TARGET"] == name.replace("-", "_")
        assert f"async def {environment['FUNCTION_TARGET']}(" in source
    for function in both.functions.values():
        assert function["VpcConfig"]["SubnetIds"] == ["subnet-a", "subnet-b"]


def test_no_function_has_a_secret_in_its_environment(both: Stack) -> None:
    """Each secret value is a reference to a secret that the function may read."""
    for name in both.functions:
        environment = both.environment(name)
        for variable, value in environment.items():
            if re.search("PASSWORD|API_KEYS|USERNAME", variable):
                assert str(value).startswith("aws-secretsmanager:arn:")
            if str(value).startswith("aws-secretsmanager:"):
                arn = value.removeprefix("aws-secretsmanager:").partition("#")[0]
                assert allows(both.statements(name), READ, arn)


def topic(name: str) -> str:
    """The ARN of a topic of the cluster."""
    return f"{CLUSTER.replace(':cluster/', ':topic/')}/{name}"


def group(name: str) -> str:
    """The ARN of a consumer group of the cluster."""
    return f"{CLUSTER.replace(':cluster/', ':group/')}/{name}"


def kafka(resource: str, *actions: str) -> set[tuple[str, str]]:
    """Actions of Kafka's on a resource."""
    return {(f"kafka-cluster:{action}", resource) for action in actions}


def log_of(function: str) -> set[tuple[str, str]]:
    """Writing a function's log."""
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{NAME}-{function}:log-stream:1"
    return {("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)}


MAPPING = {
    ("kafka:DescribeClusterV2", CLUSTER),
    ("kafka:GetBootstrapBrokers", CLUSTER),
    ("ec2:DescribeVpcs", "*"),
    ("ec2:DescribeSecurityGroups", "*"),
    *kafka(CLUSTER, "Connect", "DescribeClusterDynamicConfiguration"),
}
READER, WRITER, OWNER = ({(READ, secret(name))} for name in ("reader", "writer", "owner"))
ALLOWED = {
    "ingest-event": {
        (READ, secret("keys")),
        *kafka(CLUSTER, "Connect", "WriteDataIdempotently"),
        *kafka(topic("match-events"), "DescribeTopic", "WriteData"),
    },
    "list-highlights": READER,
    "get-highlight": READER,
    "consume-goal": {
        *WRITER,
        *MAPPING,
        *kafka(CLUSTER, "WriteDataIdempotently"),
        *kafka(topic("match-events"), "DescribeTopic", "ReadData"),
        *kafka(topic("highlights-pending"), "DescribeTopic", "WriteData"),
        *kafka(topic("match-events.dlq"), "DescribeTopic", "WriteData"),
        *kafka(group("consume-goal"), "DescribeGroup", "AlterGroup"),
    },
    "enrich-batch": {
        *WRITER,
        *MAPPING,
        *kafka(topic("highlights-pending"), "DescribeTopic", "ReadData"),
        *kafka(group("enrich-batch"), "DescribeGroup", "AlterGroup"),
    },
    "prepare": {
        *OWNER,  # which creates the other two, with their passwords
        *READER,
        *WRITER,
        *kafka(CLUSTER, "Connect"),
        *kafka(topic("match-events"), "DescribeTopic", "CreateTopic"),
        *kafka(topic("highlights-pending"), "DescribeTopic", "CreateTopic"),
        *kafka(topic("match-events.dlq"), "DescribeTopic", "CreateTopic"),
    },
}
ALLOWED_TO_NONE = {
    (READ, secret("other")),
    ("secretsmanager:PutSecretValue", secret("owner")),
    *kafka(topic("match-events"), "DeleteTopic", "AlterTopic"),
    *kafka(topic("other"), "ReadData", "WriteData", "CreateTopic"),
    *kafka(group("other"), "AlterGroup"),
    *kafka(CLUSTER.replace("goals", "other"), "Connect"),
    ("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/other"),
    ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}-prepare"),
    ("iam:PassRole", "*"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_role_allows_only_the_actions_of_its_function(msk: Stack, name: str) -> None:
    """Checked are all actions of any function, and some that no function needs."""
    allowed = {function: ALLOWED[function] | log_of(function) for function in ALLOWED}
    checked = ALLOWED_TO_NONE.union(*allowed.values())
    assert {each for each in checked if allows(msk.statements(name), *each)} == allowed[name]


def test_a_role_of_a_self_managed_kafka_reads_its_secrets_and_has_no_right_at_msk(
    self_managed: Stack,
) -> None:
    """The mappings read the CA's secret too; a key of one's own opens secrets, and only these."""
    key = SELF_MANAGED["SecretsKeyArn"]
    through = {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}
    readers: dict[str, set[str]] = {}
    for name in self_managed.functions:
        statements = self_managed.statements(name)
        assert not any("kafka" in str(each["Action"]) for each in statements)
        assert allows(statements, "kms:Decrypt", key, through)
        assert not allows(statements, "kms:Decrypt", key)
        for of in ("kafka", "kafka-ca", "cache", "read-keys", "keys", "reader", "writer", "owner"):
            if allows(statements, READ, secret(of)):
                readers.setdefault(of, set()).add(name)
    assert readers == {
        "kafka": {"ingest-event", "consume-goal", "enrich-batch", "prepare"},
        "kafka-ca": {"consume-goal", "enrich-batch"},
        "cache": {"list-highlights", "consume-goal", "enrich-batch"},
        "read-keys": {"list-highlights", "get-highlight"},
        "keys": {"ingest-event"},
        "reader": {"list-highlights", "get-highlight"},
        "writer": {"consume-goal", "enrich-batch"},
        "owner": {"prepare"},  # the creator of the URL secrets creates their users
    }


USERS = {
    "list-highlights": "reader", "get-highlight": "reader",
    "consume-goal": "writer", "enrich-batch": "writer", "prepare": "owner",
}  # fmt: skip


def test_each_function_is_the_user_of_the_database_that_it_needs_to_be(
    msk: Stack, self_managed: Stack
) -> None:
    """By name and password, or by a URL that is a secret; only migrations are the owner's."""
    for name, user in USERS.items():
        environment = msk.environment(name)
        login = "goalstream" if user == "owner" else f"goalstream_{user}"
        assert environment["DATABASE_URL"] == f"postgresql://{login}@{MSK['DatabaseAddress']}"
        reference = f"aws-secretsmanager:{secret(user)}"
        assert environment["DATABASE_PASSWORD"] == f"{reference}#password"
        variables = self_managed.environment(name)
        assert variables["DATABASE_URL"] == reference
        assert "DATABASE_PASSWORD" not in variables
    assert "DATABASE_URL" not in msk.environment("ingest-event")
    for user in ("reader", "writer"):
        variable = f"DATABASE_{user.upper()}_PASSWORD"
        holders = {name for name in msk.functions if variable in msk.environment(name)}
        assert holders == {"prepare"}
        reference = f"aws-secretsmanager:{secret(user)}#password"
        assert msk.environment("prepare")[variable] == reference


def test_lambda_connects_a_function_to_the_network_and_its_code_does_not(msk: Stack) -> None:
    """AWS wants these rights of the role; a statement refuses them to the code."""
    for name, function in msk.functions.items():
        for action in ("CreateNetworkInterface", "DeleteNetworkInterface", "DescribeSubnets"):
            code = {"lambda:SourceFunctionArn": function["FunctionArn"]}
            assert allows(msk.statements(name), f"ec2:{action}", "*")
            assert not allows(msk.statements(name), f"ec2:{action}", "*", code)


def test_only_lambda_takes_the_roles(msk: Stack) -> None:
    """Each function has one, and no other has it."""
    roles = [each["Role"].rpartition("/")[2] for each in msk.functions.values()]
    assert len(set(roles)) == len(roles)
    for role in roles:
        trust = msk.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        assert [each["Principal"] for each in trust["Statement"]] == [
            {"Service": "lambda.amazonaws.com"}
        ]


def test_the_instances_fit_into_the_connections_of_a_small_postgres(msk: Stack) -> None:
    """One request at a time is one connection; the smallest of RDS has some 80."""
    connections = 11  # of a migration, the superuser and administrators
    for name in set(WITH_DATABASE) - {"prepare"}:
        assert msk.environment(name)["DATABASE_POOL_SIZE"] == "1"
        function = f"{NAME}-{name}"
        reserved = msk.client("lambda").get_function_concurrency(FunctionName=function)
        connections += reserved["ReservedConcurrentExecutions"]
    assert connections <= 80


def test_every_minute_a_rule_calls_enrich_batch(msk: Stack) -> None:
    """The rule has the right to; apart from it only the API may call its three functions."""
    events = msk.client("events")
    [rule] = events.list_rules(NamePrefix=NAME)["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == msk.functions["enrich-batch"]["FunctionArn"]
    assert callers(msk, "enrich-batch") == {("events.amazonaws.com", rule["Arn"])}
    for name in ("ingest-event", "list-highlights", "get-highlight"):
        assert {service for service, _ in callers(msk, name)} == {"apigateway.amazonaws.com"}
    for name in ("consume-goal", "prepare"):
        with pytest.raises(msk.client("lambda").exceptions.ResourceNotFoundException):
            callers(msk, name)


def callers(stack: Stack, function: str) -> set[tuple[str, str]]:
    """The services that may call a function, and for what."""
    response = stack.client("lambda").get_policy(FunctionName=f"{NAME}-{function}")
    return {
        (each["Principal"]["Service"], each["Condition"]["ArnLike"]["AWS:SourceArn"])
        for each in json.loads(response["Policy"])["Statement"]
    }


def test_every_log_ends_after_a_while(both: Stack) -> None:
    """The stack creates each function's log group, or Lambda would create one without an end."""
    logs = both.client("logs").describe_log_groups()["logGroups"]
    kept = {each["logGroupName"]: each["retentionInDays"] for each in logs}
    ours = {f"/aws/lambda/{both.name}-{name}" for name in both.functions}
    assert [kept[name] for name in {f"/aws/apigateway/{both.name}", *ours}] == [30] * 7
