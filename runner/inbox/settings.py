"""The tables `inbox` and `console` of the project file: where to listen, whom to let in, and how much."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from runner import credentials
from runner.errors import InvalidProject
from runner.project import Project

Network = IPv4Network | IPv6Network

TABLES = ("inbox", "console")

_PORTS = dict(zip(TABLES, (8080, 8081), strict=True))


@dataclass(frozen=True)
class Limits:
    """What one message may be: `size` in bytes, `depth` and `keys` of its JSON, `parts` it is split into, and the
    `seconds` that its body may take to arrive."""

    size: int = 1_048_576
    depth: int = 20
    keys: int = 20_000
    parts: int = 500
    seconds: float = 10


@dataclass(frozen=True)
class Settings:
    """The whole table. `behind_proxy` are the addresses of the proxy that ends TLS, `allow_from` those of senders (all
    when empty); `rate` is in messages a minute for each key; a body that is posted again within `repeat_days` after
    its success is the same message. `table` is its name, `hosts` are those by which browsers ask for the console, and
    `url` is its address, as alerts name it; `languages` is the folder of more catalogues of messages for its pages."""

    table: str = "inbox"
    address: str = "127.0.0.1"
    port: int = 8080
    certificate: str | None = None
    private_key: str | None = None
    behind_proxy: tuple[Network, ...] = ()
    allow_from: tuple[Network, ...] = ()
    rate: float = 600
    repeat_days: float = 90
    hosts: tuple[str, ...] = ()
    url: str = ""
    languages: Path | None = None
    limits: Limits = field(default_factory=Limits)


def of(project: Project, table: str = "inbox") -> Settings:
    """The settings of a project; paths begin at its folder. Raises InvalidProject, and InvalidCredential for a private
    key that isn't kept safely.

    >>> from pathlib import Path
    >>> of(Project(Path("project.yaml"), "x", {}, settings={"inbox": {"limits": {"size": 2000}}})).limits.size
    2000
    """
    entry = {"port": _PORTS[table], **project.settings.get(table, {})}
    files = {key: entry[key] for key in ("certificate", "private_key") if key in entry}
    entry |= credentials.resolve(files, project.folder, lambda where: f"{project.path.name}, {table}")
    for key in ("behind_proxy", "allow_from"):
        entry[key] = tuple(_network(table, key, text) for text in entry.get(key, ()))
    if "languages" in entry:
        entry["languages"] = project.folder / entry["languages"]
    entry |= {"limits": Limits(**entry.get("limits", {})), "hosts": tuple(entry.get("hosts", ()))}
    return Settings(table, **entry)


def _network(table: str, key: str, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        fix = "Write it like 192.0.2.7 or 192.0.2.0/24."
        raise InvalidProject(f"{table}: {key} holds what is no address", fix=fix) from None
