"""Where tests keep stores: in files, or in PostgreSQL, a schema for each folder; and what somebody can do there."""

import hashlib
import sqlite3
from contextlib import closing

from runner.store import FILE, Store


class InFiles:
    """Stores in files."""

    name = "sqlite"

    def address(self, folder):
        """Where the store of a folder is, if not in it."""
        return None

    def open(self, folder, **more):
        """The store of a folder."""
        return Store.open(folder, **more)

    def tamper(self, folder, *statements):
        """Whatever somebody does to the file who has it, but not the key."""
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as db:
            made = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in made:
                db.execute(f"DROP TRIGGER {name}")
            for statement, *values in statements:
                db.execute(statement, values)
            for _, sql in made:
                db.execute(sql)

    def drop_guard(self, folder, name):
        """Take one trigger away."""
        with closing(sqlite3.connect(folder / FILE)) as db:
            db.execute(f"DROP TRIGGER {name}")


class InPostgres:
    """Stores in PostgreSQL, each in a schema of its own, which is dropped in the end."""

    name = "postgres"

    def __init__(self, server):
        self._server = server
        self._made = {}

    def address(self, folder):
        """Where the store of a folder is."""
        if folder not in self._made:
            name = f"s{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
            self._do(self._server.address(), f"CREATE SCHEMA {name}")
            self._made[folder] = name
        return self._server.address(self._made[folder])

    def open(self, folder, **more):
        """The store of a folder."""
        return Store.open(folder, at=self.address(folder), **more)

    def do(self, folder, statement, values=()):
        """One statement of somebody beside the store; its rows."""
        return self._do(self.address(folder), statement, values)

    def tamper(self, folder, *statements):
        """Whatever somebody does to the database who owns it, but has not the key."""
        self.do(folder, "ALTER TABLE audit DISABLE TRIGGER USER")
        for statement, *values in statements:
            self.do(folder, statement.replace("?", "%s"), values)
        self.do(folder, "ALTER TABLE audit ENABLE TRIGGER USER")

    def drop_guard(self, folder, name):
        """Take one trigger away."""
        self.do(folder, f"DROP TRIGGER {name} ON audit")

    def drop(self):
        """Drop all schemas."""
        for name in self._made.values():
            self._do(self._server.address(), f"DROP SCHEMA {name} CASCADE")
        self._made = {}

    def _do(self, address, statement, values=()):
        import psycopg  # here, since tests in files need nothing of it

        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
