"""`python -m local.cron`."""

import sys

from local.process import shutdown

if __name__ == "__main__":
    stopping = shutdown.event_on_signals()  # before the imports below, which take a while
    from local.cron.command import main

    sys.exit(main(stopping))
