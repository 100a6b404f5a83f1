"""The address of a PostgreSQL database: without a password, and encrypted unless it is on this machine."""

import ipaddress
import os
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from runner.errors import WrongUse

_SCHEMES = ("postgresql", "postgres")
_PASSWORD_FIX = "Write it into ~/.pgpass (mode 0600), or into the file that PGPASSFILE names."
_SECRET = {"password", "sslpassword"}


def checked(address: str) -> str:
    """The address with encryption made certain. Raises WrongUse.

    >>> checked("postgresql://bridge@db.example/bridge")
    'postgresql://bridge@db.example/bridge?sslmode=verify-full&sslrootcert=system'
    >>> checked("postgresql:///bridge?host=/run/postgresql")
    'postgresql:///bridge?host=/run/postgresql'
    """
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    if parts.scheme not in _SCHEMES or not parts.path.strip("/"):
        raise WrongUse("this is no address of a database", fix="Write postgresql://USER@HOST/DATABASE.")
    if parts.password is not None or _SECRET & options.keys():
        raise WrongUse("the address of the database holds a password", fix=_PASSWORD_FIX)
    host = options.get("host") or parts.netloc.rpartition("@")[2]
    if not host or "service" in options:
        fix = "Write postgresql://USER@HOST/DATABASE, or /DATABASE?host=/run/postgresql for a socket."
        raise WrongUse("the address of the database names no host", fix=fix)  # libpq would look for one elsewhere
    instead = options.get("hostaddr") or os.environ.get("PGHOSTADDR") or host
    if all(map(_is_here, [*host.split(","), *instead.split(",")])):
        return address
    if options.setdefault("sslmode", "verify-full") != "verify-full":
        fix = "Leave sslmode out, and name the authority's certificate by sslrootcert if it is your own."
        raise WrongUse("the database is on another machine, and sslmode isn't verify-full", fix=fix)
    options.setdefault("sslrootcert", "system")
    return urlunsplit(parts._replace(query=urlencode(options, safe="/", quote_via=quote)))


def _is_here(host: str) -> bool:
    if host.startswith("/"):
        return True  # a socket of this machine
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
