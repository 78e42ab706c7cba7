"""The functions of GoalStream: one folder, one stateless function."""

import gc

# Modules, and the objects of hundreds of requests in flight, are not garbage. With Python's default
# threshold of 700 the collector walks through them all the time: a fifth of ingest-event's time,
# and 25 ms of a start.
gc.set_threshold(10_000, 20, 20)
