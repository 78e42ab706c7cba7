"""The templates of infra/aws: what moto cannot hold."""

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
    """What a resource is made with."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def default(template: Template, part: dict[str, str]) -> Any:
    """The default of the parameter that a part refers to."""
    return template["Parameters"][part["Ref"]]["Default"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_function_gets_every_variable_that_it_cannot_do_without(name: str) -> None:
    """Beside either Kafka."""
    fields = SETTINGS[name].model_fields.values()
    required = {str(field.alias) for field in fields if field.is_required()}
    for parameters in (MSK, SELF_MANAGED):
        made = properties(transformed(parameters), name)
        assert required <= made["Environment"]["Variables"].keys()
        handler = "infra.aws.prepare.handler" if name == "Prepare" else HANDLER
        assert made["ImageConfig"] == {"Command": [handler]}
        assert (made["PackageType"], made["Code"]) == ("Image", {"ImageUri": {"Ref": "ImageUri"}})


def test_a_call_has_the_time_that_its_work_takes(msk: Template) -> None:
    """enrich-batch claims no more after its budget, and then ends what it has begun."""
    settings = EnrichBatchSettings.model_fields
    spent = settings["enrich_time_budget_s"].default + settings["enrich_timeout_s"].default
    assert properties(msk, "EnrichBatch")["Timeout"] > spent + 2 * 5
    for name in ("IngestEvent", "ListHighlights", "GetHighlight"):
        assert 5 < properties(msk, name)["Timeout"] < 29  # what a REST API waits for


def test_consume_goal_takes_match_events_and_gives_up_what_it_cannot_take(msk: Template) -> None:
    """To the topic of our own dead letters, after bounded retries of ever smaller batches."""
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


def test_enrich_batch_is_woken_by_announcements_that_nobody_keeps(msk: Template) -> None:
    """The schedule sweeps up what one that failed was to bring."""
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
    """Retries that end need them; the mappings share what they cost, and tell their metrics."""
    mapping = properties(msk, name)
    pollers = mapping["ProvisionedPollerConfig"]
    assert default(msk, pollers["MinimumPollers"]) == 1
    assert default(msk, pollers["MaximumPollers"]) == PARTITIONS[mapping["Topics"][0]]
    assert pollers["PollerGroupName"] == {"Ref": "AWS::StackName"}
    assert set(mapping["MetricsConfig"]["Metrics"]) == {"EventCount", "ErrorCount", "KafkaMetrics"}


@pytest.mark.parametrize("name", ["ConsumeGoalMapping", "EnrichBatchMapping"])
def test_a_batch_fills_for_half_a_second_unless_told_otherwise(msk: Template, name: str) -> None:
    """Which is Lambda's own, for Kafka, and cannot be said: a window is of whole seconds."""
    window = "MaximumBatchingWindowInSeconds"
    assert window not in properties(msk, name)
    template = transformed({**MSK, "BatchingWindowS": "2"})
    assert properties(template, name)[window] == {"Ref": "BatchingWindowS"}
    parameter = read("template.yaml")["Parameters"]["BatchingWindowS"]
    taken = [each for each in range(1000) if re.fullmatch(parameter["AllowedPattern"], str(each))]
    assert taken == list(range(301))


def test_tags_come_from_the_deployment_alone() -> None:
    """They reach every resource that takes tags, and none is told apart by its own."""
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
    """Any method of them goes to the function, which knows how to refuse one."""
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
    """Counted for its address over a minute, on the one stage that there is; beyond it is a 429."""
    limits = properties(msk, "CallerLimits")
    assert (limits["Scope"], limits["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    [rule] = limits["Rules"]
    counted = rule["Statement"]["RateBasedStatement"]
    assert counted.keys() == {"AggregateKeyType", "Limit", "EvaluationWindowSec"}
    assert (counted["AggregateKeyType"], counted["EvaluationWindowSec"]) == ("IP", 60)
    # No caller alone takes more than a half of what a route has for all.
    all_callers = read("template.yaml")["Parameters"]["RateLimit"]["Default"] * 60
    assert 10 <= default(msk, counted["Limit"]) <= all_callers / 2
    answer = rule["Action"]["Block"]["CustomResponse"]
    assert answer["ResponseCode"] == 429
    assert {"Name": "Retry-After", "Value": "60"} in answer["ResponseHeaders"]
    body = limits["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
    assert json.loads(body["Content"])["status"] == 429
    stages = [n for n, each in msk["Resources"].items() if each["Type"] == "AWS::ApiGateway::Stage"]
    protected = properties(msk, "ApiHasCallerLimits")
    assert protected["WebACLArn"] == {"Fn::GetAtt": ["CallerLimits", "Arn"]}
    assert stages == ["ApiliveStage"]
    assert protected["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${Api}/stages/${ApiliveStage}")


def test_what_the_api_answers_by_itself_is_a_problem_s_details(msk: Template) -> None:
    """With the status that the functions would give it."""
    answers = properties(msk, "Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    for kind, status in (("MISSING_AUTHENTICATION_TOKEN", 404), ("THROTTLED", 429)):
        body = json.loads(answers[kind]["responseTemplates"]["application/json"])
        assert (body["status"], answers[kind]["statusCode"]) == (status, str(status))


def test_the_cache_for_trying_knows_the_functions_alone() -> None:
    """By a password that is in no file, and for what the cache does; the default user is off."""
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


def test_the_users_of_the_database_for_trying_have_passwords_that_are_made() -> None:
    """Each a secret of its own, with the name that prepare gives the user."""
    resources = read("services.yaml")["Resources"]
    for name in ("Writer", "Reader"):
        made = resources[f"Database{name}"]["Properties"]["GenerateSecretString"]
        login = {"username": f"goalstream_{name.lower()}"}
        assert json.loads(made["SecretStringTemplate"]) == login
        assert (made["GenerateStringKey"], made["ExcludePunctuation"]) == ("password", True)
    assert resources["Database"]["Properties"]["MasterUsername"] == "goalstream"


def test_there_is_an_alarm_for_what_must_not_happen(msk: Template, self_managed: Template) -> None:
    """Each tells the topic that was named. Only MSK tells how old an event is."""
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


def test_failed_highlights_are_counted_by_what_enrich_batch_logs(msk: Template) -> None:
    """In its log, by the message that tests/unit/test_enrich.py sees it write."""
    counted = properties(msk, "FailedHighlights")
    assert counted["LogGroupName"] == {"Ref": "EnrichBatchLogs"}
    assert counted["FilterPattern"] == '{ $.message = "highlight failed" }'
    [metric], alarm = counted["MetricTransformations"], properties(msk, "FailedHighlightsAlarm")
    assert metric["MetricNamespace"] == alarm["Namespace"]
    assert metric["MetricName"] == alarm["MetricName"]


def test_what_is_made_for_trying_is_what_the_functions_need() -> None:
    """All but the image, and the brokers' names, which only the command line tells."""
    outputs = read("services.yaml")["Outputs"].keys()
    parameters = read("template.yaml")["Parameters"]
    required = {name for name, each in parameters.items() if "Default" not in each}
    others = {"ImageRepository", "BootstrapServersCommand"}
    assert outputs - others <= parameters.keys()
    assert required - outputs == {"ImageUri", "KafkaBootstrapServers"}
