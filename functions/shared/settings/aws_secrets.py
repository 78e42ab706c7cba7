"""Fetching a secret from AWS Secrets Manager or the SSM Parameter Store."""

import re
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from functions.shared.observability.logs import silence_aws_debug_logs
from functions.shared.settings.errors import SecretError

# A start that hangs tells less than one that fails; the retry is for a lost packet.
CLIENT_CONFIG = Config(
    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"}
)
ARN = re.compile(r"arn:[^:]+:[^:]+:([a-z0-9-]+):")

# Our messages for the error codes of both services.
MESSAGES = {
    "ResourceNotFoundException": "there is no such secret in {region}",
    "ParameterNotFound": "there is no such parameter in {region}",
    "ParameterVersionNotFound": "the parameter has no such version",
    "AccessDeniedException": "access is denied; it takes {permission}",
    "AccessDenied": "access is denied; it takes {permission}",
    "DecryptionFailure": "access to its key is denied; it takes kms:Decrypt",
    "InvalidKeyId": "access to its key is denied; it takes kms:Decrypt",
    "InvalidRequestException": "it has no value now, or is about to be deleted",
    "ExpiredTokenException": "the AWS credentials have expired",
    "UnrecognizedClientException": "the AWS credentials are not valid",
    "InvalidClientTokenId": "the AWS credentials are not valid",
    "InvalidSignatureException": "the AWS credentials are not valid",
    "ThrottlingException": "AWS asks for fewer requests",
}
NO_ANSWER = (exceptions.HTTPClientError, exceptions.ConnectionError)
NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
)
PERMISSIONS = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter"}


def fetch(service: str, name: str) -> str:
    """Return the text of a secret; the region is that of an ARN, else the environment's.

    Raises:
        SecretError: with what is to be corrected, and nothing of AWS' answer.
    """
    silence_aws_debug_logs()
    region = arn[1] if (arn := ARN.match(name)) else None
    try:
        # A new client each time: a connection from before a fork or a freeze is of no use.
        client = boto3.client(service, region_name=region, config=CLIENT_CONFIG)
        return _secret(client, name) if service == "secretsmanager" else _parameter(client, name)
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        why = MESSAGES.get(code, f"AWS answers {code}")
        region = client.meta.region_name
        raise SecretError(why.format(region=region, permission=PERMISSIONS[service])) from None
    except exceptions.NoRegionError:
        raise SecretError("no region is set, as in AWS_REGION=eu-central-1") from None
    except NO_CREDENTIALS:
        raise SecretError("there are no AWS credentials") from None
    except NO_ANSWER:
        raise SecretError("AWS does not answer in time") from None
    except exceptions.BotoCoreError as error:
        raise SecretError(f"AWS cannot be asked: {type(error).__name__}") from None


def _secret(client: Any, name: str) -> str:
    answer = client.get_secret_value(SecretId=name)
    if "SecretString" not in answer:
        raise SecretError("it is binary, not text")
    return str(answer["SecretString"])


def _parameter(client: Any, name: str) -> str:
    return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
