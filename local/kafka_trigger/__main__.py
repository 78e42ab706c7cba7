"""`python -m local.kafka_trigger`."""

import sys

from local import stopping

if __name__ == "__main__":
    asked_to_stop = stopping.on_signals()  # the imports below take a while, and may be interrupted
    from local.kafka_trigger.command import main

    sys.exit(main(asked_to_stop))
