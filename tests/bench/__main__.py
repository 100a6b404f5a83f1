"""Measure, print the table, and write it into docs/performance.md: `python -m tests.bench [NAME …]`."""

import argparse
from importlib import import_module
from pathlib import Path

from tests.bench.measure import folder
from tests.bench.page import Table, load

# In this order; a name is that of the module that measures it.
BENCHES = (
    "start", "items", "flow", "caseload", "posts", "claims", "erasing", "postgres", "units", "pages", "idle",
    "reference",
)  # fmt: skip
# What is compared there is not the disk's to decide: a disk that is slow makes all alike.
IN_MEMORY = ("claims", "erasing", "postgres", "pages")


def main():
    """Measure what is named, else all. Other lines of the page stay as they are."""
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__.split(":")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    names = parser.parse_args().names or BENCHES
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    table = Table()
    print(f"load at the start: {load()}", flush=True)  # noqa: T201
    for name in names:
        with folder(in_memory=name in IN_MEMORY) as place:
            for figure in import_module(f"tests.bench.{name}").figures(Path(place)):
                print(table.put(figure), flush=True)  # noqa: T201
                table.write()


if __name__ == "__main__":
    main()
