"""`python -m local.kafka_trigger`."""

import sys

from local.process import shutdown

if __name__ == "__main__":
    asked_to_stop = shutdown.on_signals()  # the imports below take a while, and may be interrupted
    from local.kafka_trigger.cli import main

    sys.exit(main(asked_to_stop))
