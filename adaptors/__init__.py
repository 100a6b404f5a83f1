"""What jobs are written in: the vocabulary (`common`) and one module of operations per system."""

import logging
import sys

# httpx imports its own command line, and with it all of click and rich, unless it finds that missing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

# These write whole URLs, with ids in their queries, to the log.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).disabled = True
