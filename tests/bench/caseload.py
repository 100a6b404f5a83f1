"""How much memory 2a takes, with 1,000 cases and with 50,000."""

from tests.bench.far_side import listening
from tests.bench.flow import perform
from tests.bench.measure import Figure, megabytes

SMALL, LARGE = 1_000, 50_000


def figures(folder):
    """The peak of the whole process, against that of the small caseload."""
    peaks = {}
    for cases in (SMALL, LARGE):
        with listening(cases) as url:
            peaks[cases] = perform(folder, url).peak
    small, large = peaks[SMALL], peaks[LARGE]
    other = f"{SMALL:,} cases: {megabytes(small)}"
    yield Figure(f"peak memory of 2a, {SMALL:,} cases", megabytes(small), "—", "—", "≤ 70 MB")
    yield Figure(
        f"peak memory of 2a, {LARGE:,} cases",
        megabytes(large),
        other,
        f"{megabytes(large - small)} more",
        "≤ 30 MB more",
    )
