"""The ACL rules of the functions' user in Redis are the same wherever there is one."""

import re

import pytest

from local.stack import ROOT
from local.stack.services.valkey import ACL_RULES

DEPLOYED = ("infra/aws/services.yaml", "infra/knative/components/services/redis.yaml")


def rules(text: str) -> set[str]:
    """The keys, channels and commands of a user, without the spelling of the file."""
    return set(re.findall(r"[~&][\w:*]+|[+-]@?[a-z]+(?:\|[a-z]+)?", text))


@pytest.mark.parametrize("path", DEPLOYED)
def test_a_deployment_has_the_rules_of_the_functions(path: str) -> None:
    """A command that the cache needs is allowed everywhere, and no other one is."""
    text = (ROOT / path).read_text()
    begin = text.index("~goalstream:*")
    end = begin + text[begin:].index("client|setinfo") + len("client|setinfo")
    assert rules(text[begin:end]) == rules(ACL_RULES.read_text())
