"""What all tests share: how long the long walks are."""

import os

from hypothesis import HealthCheck, settings

# `make test-long` walks further; the time a step takes says nothing on a busy machine.
settings.register_profile("short", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("short"), max_examples=1_000)
settings.load_profile(os.environ.get("GOALSTREAM_TEST_LENGTH", "short"))
