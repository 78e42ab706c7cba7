"""`sasl.mechanism = "AWS_MSK_IAM"`, which librdkafka knows as OAUTHBEARER with signed tokens."""

from collections.abc import Mapping
from typing import Any

from functions.shared.kafka.msk_iam import MECHANISM, PACKAGE, is_installed, token_callback

REGION = "aws.region"
NAMES = {"sasl.mechanism", "sasl.mechanisms"}


def is_chosen(settings: Mapping[str, Any]) -> bool:
    """Return whether the settings choose this mechanism."""
    return any(settings.get(name) == MECHANISM for name in NAMES)


def missing(settings: Mapping[str, Any]) -> str | None:
    """Return the reason why the chosen mechanism cannot work, or None."""
    if not is_chosen(settings):
        return None
    if not settings.get(REGION):
        return f"{REGION} is missing: {MECHANISM} signs for a region"
    if not is_installed():
        return f"{MECHANISM} needs the package {PACKAGE}"
    return None


def for_librdkafka(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings for librdkafka, which knows neither this mechanism nor a region."""
    rest = {name: value for name, value in settings.items() if name != REGION}
    if not is_chosen(settings):
        return rest
    kept = {
        name: value
        for name, value in rest.items()
        if name not in NAMES and not name.startswith("sasl.oauthbearer.")
    }
    callback = token_callback(str(settings[REGION]))
    return {**kept, "sasl.mechanism": "OAUTHBEARER", "oauth_cb": callback}
