"""What tests of the store run on: each over both databases."""

import pytest

from tests import servers
from tests.databases import InFiles, InPostgres


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server, for all tests of this process."""
    server = servers.Server(servers.programs() or servers.missing())
    yield server
    server.remove()


@pytest.fixture
def in_postgres(server):
    """Stores in PostgreSQL."""
    database = InPostgres(server)
    yield database
    database.drop()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """Where stores are: in files, and once more in PostgreSQL."""
    return InFiles() if request.param == "sqlite" else request.getfixturevalue("in_postgres")
