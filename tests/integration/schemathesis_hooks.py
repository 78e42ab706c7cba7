"""For Schemathesis: date-times that an event may have, which no schema can say."""

from datetime import UTC, datetime

import schemathesis
from hypothesis import strategies as st

# What lies ahead of the clock is refused.
PAST = st.datetimes(datetime(1, 1, 2), datetime(2025, 1, 1), timezones=st.just(UTC))

schemathesis.openapi.format("date-time", PAST.map(datetime.isoformat))
