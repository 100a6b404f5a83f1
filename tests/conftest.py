"""What tests of the store run on: each over both databases."""

import sqlite3
from contextlib import closing

import pytest

from runner.store import FILE, Store
from tests import servers


class OnSqlite:
    """Stores in files."""

    name = "sqlite"

    def open(self, folder, **more):
        """The store of a folder."""
        return Store.open(folder, **more)

    def address(self, folder):
        """Where the store of a folder is, if not in it."""
        return None

    def tamper(self, folder, statement, values=()):
        """One statement of somebody who has the file; its rows."""
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as db:
            return db.execute(statement, values).fetchall()


class OnPostgres:
    """Stores in PostgreSQL, each in a schema of its own."""

    name = "postgres"

    def __init__(self, schemas):
        self._schemas = schemas

    def open(self, folder, **more):
        """The store of a folder."""
        return Store.open(folder, at=self.address(folder), **more)

    def address(self, folder):
        """Where the store of a folder is, if not in it."""
        return self._schemas.address(folder)

    def tamper(self, folder, statement, values=()):
        """One statement of somebody who has the database; its rows."""
        return self._schemas.do(statement.replace("?", "%s"), folder, values)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server for the tests of one process."""
    place = servers.programs() or servers.missing()
    server = servers.Server(place)
    yield server
    server.remove()


@pytest.fixture(params=[OnSqlite, OnPostgres], ids=["sqlite", "postgres"])
def database(request):
    """Where stores are kept: in files, and once more in PostgreSQL."""
    if request.param is OnSqlite:
        yield OnSqlite()
        return
    schemas = servers.Schemas(request.getfixturevalue("server"))
    yield OnPostgres(schemas)
    schemas.drop()
