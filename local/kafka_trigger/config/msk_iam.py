"""`sasl.mechanism = "AWS_MSK_IAM"`, which librdkafka knows as OAUTHBEARER with signed tokens."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

MECHANISM = "AWS_MSK_IAM"
REGION = "aws.region"
NAMES = {"sasl.mechanism", "sasl.mechanisms"}

Token = Callable[[str], tuple[str, float]]


def is_chosen(settings: Mapping[str, Any]) -> bool:
    """Whether the settings ask for it."""
    return any(settings.get(name) == MECHANISM for name in NAMES)


def missing(settings: Mapping[str, Any]) -> str | None:
    """What it lacks that is chosen, in a sentence."""
    if not is_chosen(settings):
        return None
    if not settings.get(REGION):
        return f"{REGION} is missing: {MECHANISM} signs for a region"
    if find_spec("aws_msk_iam_sasl_signer") is None:
        return f"{MECHANISM} needs the package aws-msk-iam-sasl-signer-python"
    return None


def for_librdkafka(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as librdkafka takes them: it does not know of this mechanism, nor of a region."""
    rest = {name: value for name, value in settings.items() if name != REGION}
    if not is_chosen(settings):
        return rest
    kept = {
        name: value
        for name, value in rest.items()
        if name not in NAMES and not name.startswith("sasl.oauthbearer.")
    }
    token = signer(str(settings[REGION]))
    return {**kept, "sasl.mechanism": "OAUTHBEARER", "oauth_cb": token}


def signer(region: str) -> Token:
    """What signs tokens by the role or the keys that the process has."""
    # Few need it, and boto3 comes with it.
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    def token(_: str) -> tuple[str, float]:
        signed, expires_at_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return signed, expires_at_ms / 1000

    return token
