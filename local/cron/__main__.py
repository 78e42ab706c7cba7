"""`python -m local.cron`."""

import sys

from local.process import shutdown

if __name__ == "__main__":
    asked_to_stop = shutdown.on_signals()  # the imports below take a while, and may be interrupted
    from local.cron.command import main

    sys.exit(main(asked_to_stop))
