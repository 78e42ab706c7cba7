"""`python -m infra.asyncapi`: writes the document; `--check` reports a stale one."""

import sys

from infra.asyncapi.document import document
from infra.generated import write_or_check

if __name__ == "__main__":
    sys.exit(write_or_check("infra.asyncapi", __doc__, {"topics.json": document()}))
