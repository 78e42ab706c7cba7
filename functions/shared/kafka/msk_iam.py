"""Signed tokens for Amazon MSK, by the IAM role or the access keys of the process.

librdkafka knows this mechanism as OAUTHBEARER with a callback that returns a token.
"""

from collections.abc import Callable
from importlib.util import find_spec

from functions.shared.observability.logs import silence_aws_debug_logs

MECHANISM = "AWS_MSK_IAM"
PACKAGE = "aws-msk-iam-sasl-signer-python"

# Returns a token, and the time at which it expires, in seconds since 1970.
TokenCallback = Callable[[str], tuple[str, float]]


def is_installed() -> bool:
    """Return whether the package that signs is there."""
    return find_spec("aws_msk_iam_sasl_signer") is not None


def token_callback(region: str) -> TokenCallback:
    """Return the `oauth_cb` of a client, which signs for an AWS region."""
    # Imported only where it is used: it brings boto3, which takes longer to import than a function.
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    silence_aws_debug_logs()

    def sign(_: str) -> tuple[str, float]:
        token, expires_at_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return token, expires_at_ms / 1000

    return sign
