"""People: who may sign in, and the end of somebody's sessions."""

from runner.console.visit import Answer, Moved, Page, Visit


def people(visit: Visit) -> Answer:
    """All accounts."""
    return Page("people.html", {"accounts": visit.store.accounts()})


def end_sessions(visit: Visit) -> Answer:
    """Sign somebody out, wherever they are signed in."""
    with visit.acting() as store:
        store.end_sessions(visit.fields["name"], now=visit.now)
    return Moved("/people")
