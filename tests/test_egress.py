"""Where connections may lead (adaptors/egress.py), on real sockets: what is looked up is what is connected to."""

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network

import pytest

from adaptors.egress import may_be_reached
from adaptors.errors import JobError, Unreachable
from adaptors.http import Client
from adaptors.runtime import Runtime
from adaptors.sandbox.authority import Authority
from adaptors.sandbox.serve import Listener
from adaptors.sandbox.wire import empty_response


class Far:
    """A server on this machine, behind names of which a name service says what the test wants."""

    def __init__(self, monkeypatch, folder):
        self.requests, self.lookups, self.says, self.together = [], [], {}, None
        authority = Authority()
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(authority.certificate_pem)
        self.listener = Listener(self.answer, tls=authority.server_context(authority.server()))
        self.resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def answer(self, request):
        self.requests.append(request)
        if self.together:
            self.together.wait(30)
        return empty_response(204)

    def look_up(self, host, port, *rest, **options):
        """The answers of a name in order, the last again and again; an address is its own answer."""
        if host not in self.says:
            return self.resolve(host, port, *rest, **options)
        self.lookups.append(host)
        answers = self.says[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if found == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (family[ip_address(each).version], socket.SOCK_STREAM, 6, "", (each, port))
            for each in found.split()
        ]  # fmt: skip

    def client(self, host="127.0.0.1", **credential):
        """Our client for it, to be closed."""
        runtime = Runtime()
        runtime.sleep = lambda seconds: None
        url = f"https://{host}:{self.listener.port}"
        return contextlib.closing(
            Client("primero", {"url": url, "ca_file": str(self.ca_file), **credential}, runtime)
        )  # fmt: skip

    def ask(self, host="127.0.0.1", method="DELETE", **credential):
        with self.client(host, **credential) as it:
            return it.send(method, "/x").status


@pytest.fixture
def far(monkeypatch, tmp_path):
    """A server, and a name service that can be told what to say."""
    made = Far(monkeypatch, tmp_path)
    with made.listener:
        yield made


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_by_its_own_name(far, host):
    """R-LP2: this machine is reached by its own names, as the sandbox is."""
    assert 204 == far.ask(host)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "168.63.129.16", "::1",
     "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "0.0.0.0", "224.0.0.1",
     "8.8.8.8 127.0.0.1"],
)  # fmt: skip
def test_a_name_that_leads_inside(far, address):
    """R-LP2: a host that has a private, local or metadata address, even beside a good one, is not connected to."""
    far.says["primero.example.org"] = [address]

    with pytest.raises(Unreachable) as caught:
        far.ask("primero.example.org")

    assert ("private_address", True, False, []) == (
        caught.value.code, caught.value.retryable, caught.value.unknown, far.requests,
    )  # fmt: skip
    assert "addresses: " in caught.value.fix


def test_nobody_hears_of_it(far):
    """R-LP2: not even a connection is made to an address that isn't allowed."""
    far.says["primero.example.org"] = ["127.0.0.2"]
    with socket.create_server(("127.0.0.2", far.listener.port)) as inside:
        inside.settimeout(0)
        with pytest.raises(Unreachable):
            far.ask("primero.example.org", "GET")
        with pytest.raises(BlockingIOError):
            inside.accept()


@pytest.mark.parametrize("addresses", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", "10.0.0.7 127.0.0.1"])
def test_a_private_address_that_is_named(far, addresses):
    """R-LP2: a private address that the credential names is connected to, and its certificate verified as ever."""
    far.says["primero.example.org"] = ["127.0.0.1"]

    with pytest.raises(Unreachable) as caught:
        far.ask("primero.example.org", addresses=addresses)
    assert ("tls_failed", ["primero.example.org"]) == (caught.value.code, far.lookups)

    assert 204 == far.ask(addresses=addresses)


def test_a_name_that_changes_its_meaning(far):
    """R-LP2: what was looked at is what is connected to: a name that means another host a moment later is no use."""
    far.says["primero.example.org"] = ["8.8.8.8", "127.0.0.1"]
    connected = []

    def connect(address, *rest, **options):
        connected.append(address[0])
        raise OSError("nobody there")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", connect)
        with pytest.raises(Unreachable) as caught:
            far.ask("primero.example.org")

    assert ("unreachable", ["8.8.8.8"], ["primero.example.org"]) == (caught.value.code, connected, far.lookups)


def test_the_next_address_is_tried(far):
    """A host with several addresses is reached by the first that answers."""
    far.says["localhost"] = ["127.0.0.3 127.0.0.1"]

    assert 204 == far.ask("localhost")


def test_connections_are_used_again(far):
    """There are never more connections than requests under way, and none is opened while one is kept."""
    far.says["localhost"] = ["127.0.0.1"]
    far.together = threading.Barrier(3)
    with far.client("localhost") as client, ThreadPoolExecutor(3) as threads:
        for _ in range(2):
            assert [204] * 3 == list(threads.map(lambda _: client.send("DELETE", "/x").status, range(3)))
        far.together = None
        for _ in range(4):
            client.send("DELETE", "/x")

    assert (10, 3) == (len(far.requests), len(far.lookups))


def test_a_name_that_is_unknown(far):
    """A name that nobody knows is told as no connection; it will be tried again."""
    far.says["primero.example.org"] = ["unknown"]

    with pytest.raises(Unreachable) as caught:
        far.ask("primero.example.org")

    assert "unreachable" == caught.value.code


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE"])
def test_the_environment_diverts_nothing(far, monkeypatch, variable):
    """R-LP2: no variable sends a request through a proxy, or has another authority believed."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0)
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        assert 204 == far.ask()
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.mark.parametrize("addresses", ["everything", "10.0.0.1/8", "10.0.0.0/8; ::1"])
def test_addresses_that_cannot_be_read(far, addresses):
    """R-LP2: addresses that can't be read let nothing through: the credential is at fault."""
    with pytest.raises(JobError) as caught:
        far.ask(addresses=addresses)

    assert ("addresses", []) == (caught.value.code, far.requests)


@pytest.mark.parametrize(
    ("address", "host", "reached"),
    [
        ("1.1.1.1", "primero.example.org", True),
        ("2606:4700::1111", "primero.example.org", True),
        ("127.0.0.1", "primero.example.org", False),
        ("127.0.0.1", "localhost.example.org", False),
        ("127.0.0.1", "localhost", True),
        ("10.0.0.1", "localhost", False),
        ("::1", "::1", True),
        ("10.20.0.9", "primero.example.org", True),
        ("::ffff:10.20.0.9", "primero.example.org", True),
        ("10.21.0.9", "primero.example.org", False),
    ],
)
def test_which_addresses(address, host, reached):
    """R-LP2: public addresses, loopback by its own names, and the networks that were named; no others."""
    assert reached is may_be_reached(ip_address(address), host, [ip_network("10.20.0.0/16")])
