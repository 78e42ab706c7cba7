"""The templates of infra/aws: the resources that moto does not support."""

import json
import re
from typing import Any

import pytest

from functions.consume_goal.settings import ConsumeGoalSettings
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.get_highlight.settings import GetHighlightSettings
from functions.ingest_event.settings import IngestEventSettings
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.contract.topics import DEAD_LETTERS, HIGHLIGHTS_PENDING, MATCH_EVENTS
from functions.shared.settings.base import Settings
from infra.topics import PARTITIONS, TopicsSettings
from tests.support.cloudformation import MSK, ROOT, SELF_MANAGED, Template, read, transformed

CACHE = "".join(path.read_text() for path in (ROOT / "functions/shared/redis").glob("*.py"))
HANDLER = "infra.aws.lambda_handler.handler"
SETTINGS: dict[str, type[Settings]] = {
    "IngestEvent": IngestEventSettings,
    "ListHighlights": ListHighlightsSettings,
    "GetHighlight": GetHighlightSettings,
    "ConsumeGoal": ConsumeGoalSettings,
    "EnrichBatch": EnrichBatchSettings,
    "Prepare": TopicsSettings,
}


@pytest.fixture(scope="module")
def msk() -> Template:
    """The template beside MSK, with IAM."""
    return transformed(MSK)


@pytest.fixture(scope="module")
def self_managed() -> Template:
    """The template beside a Kafka of one's own."""
    return transformed(SELF_MANAGED)


def properties(template: Template, name: str) -> dict[str, Any]:
    """The properties of a resource."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def default(template: Template, part: dict[str, str]) -> Any:
    """The default of the parameter that a part refers to."""
    return template["Parameters"][part["Ref"]]["Default"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_function_gets_every_required_variable(name: str) -> None:
    """With either Kafka."""
    fields = SETTINGS[name].model_fields.values()
    required = {str(field.alias) for field in fields if field.is_required()}
    for parameters in (MSK, SELF_MANAGED):
        built = properties(transformed(parameters), name)
        assert required <= built["Environment"]["Variables"].keys()
        handler = "infra.aws.prepare.handler" if name == "Prepare" else HANDLER
        assert built["ImageConfig"] == {"Command": [handler]}
        assert (built["PackageType"], built["Code"]) == ("Image", {"ImageUri": {"Ref": "ImageUri"}})


def test_a_call_has_the_time_that_its_work_takes(msk: Template) -> None:
    """enrich-batch has ended its attempts at its deadline, and then stores what became of them."""
    deadline_s = EnrichBatchSettings.model_fields["enrich_deadline_s"].default
    assert properties(msk, "EnrichBatch")["Timeout"] > deadline_s + 2 * 5
    for name in ("IngestEvent", "ListHighlights", "GetHighlight"):
        assert 5 < properties(msk, name)["Timeout"] < 29  # the limit of a REST API


def test_consume_goal_gets_match_events_and_its_rejected_records_are_dead_letters(
    msk: Template,
) -> None:
    """Rejected records go to our dead-letter topic, after bounded retries in smaller batches."""
    mapping = properties(msk, "ConsumeGoalMapping")
    assert mapping["Topics"] == [MATCH_EVENTS]
    assert mapping["EventSourceArn"] == {"Ref": "KafkaClusterArn"}
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": f"kafka://{DEAD_LETTERS}"}}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert default(msk, mapping["MaximumRetryAttempts"]) >= 0
    assert default(msk, mapping["MaximumRecordAgeInSeconds"]) > 0
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert "SelfManagedEventSource" not in mapping
    assert "SourceAccessConfigurations" not in mapping


def test_enrich_batch_is_started_by_announcements_without_a_dead_letter_topic(
    msk: Template,
) -> None:
    """The schedule enriches what a failed announcement would have started."""
    mapping = properties(msk, "EnrichBatchMapping")
    assert mapping["Topics"] == [HIGHLIGHTS_PENDING]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (1, 60)
    assert "DestinationConfig" not in mapping
    once = properties(msk, "EnrichBatchEventInvokeConfig")
    assert once["MaximumRetryAttempts"] == 0


@pytest.mark.parametrize("name", ["ConsumeGoalMapping", "EnrichBatchMapping"])
def test_the_pollers_are_provisioned_and_as_many_as_partitions_at_most(
    msk: Template, name: str
) -> None:
    """Bounded retries need provisioned pollers; the mappings share a group, and report metrics."""
    mapping = properties(msk, name)
    pollers = mapping["ProvisionedPollerConfig"]
    assert default(msk, pollers["MinimumPollers"]) == 1
    assert default(msk, pollers["MaximumPollers"]) == PARTITIONS[mapping["Topics"][0]]
    assert pollers["PollerGroupName"] == {"Ref": "AWS::StackName"}
    assert set(mapping["MetricsConfig"]["Metrics"]) == {"EventCount", "ErrorCount", "KafkaMetrics"}


@pytest.mark.parametrize("name", ["ConsumeGoalMapping", "EnrichBatchMapping"])
def test_a_batch_window_is_half_a_second_by_default(msk: Template, name: str) -> None:
    """Lambda's default for Kafka, which cannot be set: a window has whole seconds."""
    window = "MaximumBatchingWindowInSeconds"
    assert window not in properties(msk, name)
    template = transformed({**MSK, "BatchingWindowS": "2"})
    assert properties(template, name)[window] == {"Ref": "BatchingWindowS"}
    parameter = read("template.yaml")["Parameters"]["BatchingWindowS"]
    taken = [each for each in range(1000) if re.fullmatch(parameter["AllowedPattern"], str(each))]
    assert taken == list(range(301))


def test_tags_come_from_the_deployment_alone() -> None:
    """The stack's tags reach every resource that takes tags; no resource has tags of its own."""
    assert "Tags" not in str(read("template.yaml"))


def test_a_kafka_of_ones_own_is_reached_through_the_network_with_its_secret(
    self_managed: Template,
) -> None:
    """Nothing of MSK is left."""
    for name in ("ConsumeGoalMapping", "EnrichBatchMapping"):
        mapping = properties(self_managed, name)
        assert "EventSourceArn" not in mapping
        assert "AmazonManagedKafkaEventSourceConfig" not in mapping
        assert mapping["SelfManagedEventSource"]["Endpoints"].keys() == {"KafkaBootstrapServers"}
        assert [each["Type"] for each in mapping["SourceAccessConfigurations"]] == [
            "SASL_SCRAM_512_AUTH",
            "SERVER_ROOT_CA_CERTIFICATE",
            "VPC_SUBNET",
            "VPC_SUBNET",
            "VPC_SECURITY_GROUP",
        ]


@pytest.mark.parametrize(
    ("mechanism", "kind"), [("PLAIN", "BASIC_AUTH"), ("SCRAM-SHA-256", "SASL_SCRAM_256_AUTH")]
)
def test_the_mappings_speak_the_mechanism_of_the_functions(mechanism: str, kind: str) -> None:
    """In Lambda's words."""
    template = transformed({**SELF_MANAGED, "KafkaSaslMechanism": mechanism})
    [access, *_] = properties(template, "ConsumeGoalMapping")["SourceAccessConfigurations"]
    assert access == {"Type": kind, "URI": {"Ref": "KafkaSecretArn"}}


def test_nothing_runs_before_the_first_preparation() -> None:
    """With TriggersEnabled=false neither mapping reads, and the rule does not call."""
    template = transformed({**MSK, "TriggersEnabled": "false"})
    for name in ("ConsumeGoalMapping", "EnrichBatchMapping"):
        assert properties(template, name)["Enabled"] is False
        assert properties(transformed(MSK), name)["Enabled"] is True
    assert properties(template, "EnrichBatchEveryMinute")["State"] == "DISABLED"


def test_the_api_has_the_paths_of_the_contract(msk: Template) -> None:
    """Any method goes to the function, which refuses the wrong ones."""
    paths = properties(msk, "Api")["Body"]["paths"]
    to = {
        (path, method): part["x-amazon-apigateway-integration"]
        for path, methods in paths.items()
        for method, part in methods.items()
    }
    anything = "x-amazon-apigateway-any-method"
    functions = {route: each["uri"]["Fn::Sub"].split("${")[-1] for route, each in to.items()}
    assert functions == {
        ("/events", anything): "IngestEvent.Arn}/invocations",
        ("/events/batch", anything): "IngestEvent.Arn}/invocations",
        ("/highlights", anything): "ListHighlights.Arn}/invocations",
        ("/highlights/{id}", anything): "GetHighlight.Arn}/invocations",
        ("/health", "get"): "ListHighlights.Arn}/invocations",
        ("/matches", anything): "ListHighlights.Arn}/invocations",
    }
    assert {each["type"] for each in to.values()} == {"aws_proxy"}
    body = properties(msk, "Api")["Body"]
    assert body["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_the_api_has_a_limit_and_a_log(msk: Template) -> None:
    """Its lines are JSON when API Gateway has filled them in."""
    stage = properties(msk, "ApiliveStage")
    [every] = stage["MethodSettings"]
    assert (every["ResourcePath"], every["HttpMethod"]) == ("/*", "*")
    assert default(msk, every["ThrottlingRateLimit"]) > 0
    assert default(msk, every["ThrottlingBurstLimit"]) > 0
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"time", "requestId", "address", "route", "status"} <= line.keys()
    assert read("template.yaml")["Outputs"]["ApiUrl"]["Value"]["Fn::Sub"].endswith("/live")


def test_each_caller_has_a_limit_before_the_functions(msk: Template) -> None:
    """Requests are counted per address and minute, on the only stage; beyond the limit is a 429."""
    limits = properties(msk, "CallerLimits")
    assert (limits["Scope"], limits["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    [rule] = limits["Rules"]
    counted = rule["Statement"]["RateBasedStatement"]
    assert counted.keys() == {"AggregateKeyType", "Limit", "EvaluationWindowSec"}
    assert (counted["AggregateKeyType"], counted["EvaluationWindowSec"]) == ("IP", 60)
    # A single caller gets at most half of a route's limit.
    all_callers = read("template.yaml")["Parameters"]["RateLimit"]["Default"] * 60
    assert 10 <= default(msk, counted["Limit"]) <= all_callers / 2
    response = rule["Action"]["Block"]["CustomResponse"]
    assert response["ResponseCode"] == 429
    assert {"Name": "Retry-After", "Value": "60"} in response["ResponseHeaders"]
    body = limits["CustomResponseBodies"][response["CustomResponseBodyKey"]]
    assert json.loads(body["Content"])["status"] == 429
    stages = [n for n, each in msk["Resources"].items() if each["Type"] == "AWS::ApiGateway::Stage"]
    protected = properties(msk, "ApiHasCallerLimits")
    assert protected["WebACLArn"] == {"Fn::GetAtt": ["CallerLimits", "Arn"]}
    assert stages == ["ApiliveStage"]
    assert protected["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${Api}/stages/${ApiliveStage}")


def test_responses_of_the_api_itself_are_problem_details(msk: Template) -> None:
    """With the status that the functions would give it."""
    responses = properties(msk, "Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    for kind, status in (("MISSING_AUTHENTICATION_TOKEN", 404), ("THROTTLED", 429)):
        body = json.loads(responses[kind]["responseTemplates"]["application/json"])
        assert (body["status"], responses[kind]["statusCode"]) == (status, str(status))


def test_the_trial_cache_admits_only_the_functions() -> None:
    """By a password that is in no file, with the commands of the cache; the default user is off."""
    resources = read("services.yaml")["Resources"]
    user, nobody = (resources[name]["Properties"] for name in ("CacheUser", "CacheDefaultUser"))
    granted = set(user["AccessString"].split())
    assert {"on", "~goalstream:*", "-@all"} <= granted
    assert not granted & {"~*", "+@all", "allcommands", "+flushall", "+keys", "+config"}
    called = set(re.findall(r"redis\.call\('([A-Z]+)'", CACHE))
    assert called
    assert {f"+{each.lower()}" for each in called} <= granted
    assert (nobody["UserName"], nobody["AccessString"]) == ("default", "off -@all")
    users = [{"Ref": "CacheUser"}, {"Ref": "CacheDefaultUser"}]
    assert resources["CacheUsers"]["Properties"]["UserIds"] == users
    assert resources["Cache"]["Properties"]["UserGroupIds"] == [{"Ref": "CacheUsers"}]
    resolved = "{{resolve:secretsmanager:${CachePassword}:SecretString:password}}"
    for each in (user, nobody):
        assert each["AuthenticationMode"]["Passwords"] == [{"Fn::Sub": resolved}]
    url = resources["CacheSecret"]["Properties"]["SecretString"]["Fn::Sub"]
    assert url.startswith(f"rediss://{user['UserName']}:{resolved}@${{Cache.")


def test_the_users_of_the_trial_database_have_generated_passwords() -> None:
    """Each a secret of its own, with the name that prepare gives the user."""
    resources = read("services.yaml")["Resources"]
    for name in ("Writer", "Reader"):
        built = resources[f"Database{name}"]["Properties"]["GenerateSecretString"]
        login = {"username": f"goalstream_{name.lower()}"}
        assert json.loads(built["SecretStringTemplate"]) == login
        assert (built["GenerateStringKey"], built["ExcludePunctuation"]) == ("password", True)
    assert resources["Database"]["Properties"]["MasterUsername"] == "goalstream"


def test_each_failure_has_an_alarm(msk: Template, self_managed: Template) -> None:
    """Each alarm notifies the configured SNS topic. Only MSK has a metric for the age of events."""
    template = transformed({**MSK, "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:a"})
    alarms = {
        name: each["Properties"]
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert all(each["AlarmActions"] == [{"Ref": "AlarmTopicArn"}] for each in alarms.values())
    assert {name: each.get("MetricName") for name, each in alarms.items()} == {
        "OldestEventAlarm": "EstimatedMaxTimeLag",
        "NothingIsReadAlarm": None,
        "DeadLettersAlarm": "OnFailureDestinationDeliveredEventCount",
        "LostRecordsAlarm": "DroppedEventCount",
        "FunctionErrorsAlarm": None,
        "ApiErrorsAlarm": "5XXError",
        "FailedHighlightsAlarm": alarms["FailedHighlightsAlarm"]["MetricName"],
    }
    assert "OldestEventAlarm" not in self_managed["Resources"]
    assert "AlarmActions" not in properties(msk, "DeadLettersAlarm")


def test_failed_highlights_are_counted_by_the_log_of_enrich_batch(msk: Template) -> None:
    """By the log message that tests/unit/test_enrich.py checks."""
    counted = properties(msk, "FailedHighlights")
    assert counted["LogGroupName"] == {"Ref": "EnrichBatchLogs"}
    assert counted["FilterPattern"] == '{ $.message = "highlight failed" }'
    [metric], alarm = counted["MetricTransformations"], properties(msk, "FailedHighlightsAlarm")
    assert metric["MetricNamespace"] == alarm["Namespace"]
    assert metric["MetricName"] == alarm["MetricName"]


def test_the_trial_template_has_the_outputs_that_the_functions_need() -> None:
    """All parameters but the image and the brokers' names, which only the command line has."""
    outputs = read("services.yaml")["Outputs"].keys()
    parameters = read("template.yaml")["Parameters"]
    required = {name for name, each in parameters.items() if "Default" not in each}
    others = {"ImageRepository", "BootstrapServersCommand"}
    assert outputs - others <= parameters.keys()
    assert required - outputs == {"ImageUri", "KafkaBootstrapServers"}
