"""`python -m local.kafka_trigger`."""

import sys

from local.process import shutdown

if __name__ == "__main__":
    stopping = shutdown.on_signals()  # a signal may come during the imports below
    from local.kafka_trigger.cli import main

    sys.exit(main(stopping))
