"""Makes docs/record-of-processing.md from project.yaml and what its jobs carry.

`python docs/make_record_of_processing.py` writes the page; `page()` gives it, and a test holds the two equal.
"""

from pathlib import Path

from runner import project
from runner.golive.processing import sheet

PAGE = Path(__file__).with_name("record-of-processing.md")
PROJECT = Path(__file__).parent.parent / "project.yaml"

INTRODUCTION = """\
<!-- Made by docs/make_record_of_processing.py from project.yaml. Don't edit this page; run `make docs`. -->
"""

CONCLUSION = """\

`runner golive record` prints this sheet for the project file at hand.
Which field becomes which is told by `runner list --fields`; the whole picture is in [security](security.md).
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join(sheet(project.load(PROJECT))) + "\n" + CONCLUSION


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
