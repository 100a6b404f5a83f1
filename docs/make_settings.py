"""Makes docs/settings.md from the schema of the project file, and from what is told here of credentials.

`python docs/make_settings.py` writes the page; `page()` gives it, and a test holds the two equal.
"""

from collections.abc import Iterator
from pathlib import Path

from runner.schema import Schema, project_schema

PAGE = Path(__file__).with_name("settings.md")
_WORDS = {
    "object": "a table", "array": "a list", "string": "text", "boolean": "true or false", "number": "a number",
    "integer": "a whole number",
}  # fmt: skip

INTRODUCTION = """\
<!-- Made by docs/make_settings.py from runner/project.schema.json. Don't edit this page; run `make docs`. -->
# Settings

Everything that may stand in `project.yaml`, table by table.
`NAME` is a name that you choose.
What isn't here is refused, with the place where it stands; `runner list` reads the file and says so.
[Writing jobs](writing-jobs.md) shows the file as a whole, [alerts](alerts.md) and [scaling](scaling.md) parts of it.
In the end it tells what may stand in [credentials](#credentials), and what of the [environment](#environment) counts.
"""

CREDENTIALS_INTRODUCTION = """\
A file each in `credentials/`, of mode 600, key by key; `credentials.example/` has one of each to copy.
A value is a plain one, `${NAME}` from the environment, or `file:PATH`; paths begin at the credential's folder."""
ENVIRONMENT_INTRODUCTION = """\
What the service and the commands read, or what they are built on.
Proxies (`HTTPS_PROXY`) and `SSLKEYLOGFILE` are never heeded."""

# What each file of credentials.example/, and the credential of a third system, may hold, and what it is for.
_REACHING = {
    "ca_file": "A PEM file with the authority that has signed the far side's certificate, where it is your own.",
    "addresses": "Private addresses or networks that the host may have; others than public ones are refused.",
}
_SENDING = {
    **_REACHING,
    "rate": "Requests a second, at most: 40.",
    "connections": "Requests at a time, at most: 8.",
}
_CLIENT = {
    "certificate": "Our client certificate, a PEM file.",
    "private_key": "Its key, a PEM file without a passphrase.",
    "pkcs12": "Both in one file, instead.",
    "pkcs12_password": "The password of that file.",
}
CREDENTIALS = {
    "primero.yaml": {
        "url": "Primero's address. Needed.",
        "user": "The account of the integration. Needed.",
        "password": "Its password. Needed.",
        **_SENDING,
    },
    "progres.yaml": {
        "transport": "The way to proGres: dtp. Needed.",
        "referral_url": "Where referrals are posted to. Needed.",
        "decision_url": "Where decisions and answers are posted to. Needed.",
        "subscription_key": "The key that the gateway asks for. Needed.",
        "secondary_subscription_key": "Another, tried once when the first is refused.",
        **_CLIENT,
        **{
            f"next_{key}": f"Of the certificate that comes next: {told[0].lower()}{told[1:]}"
            for key, told in _CLIENT.items()
        },
        "thumbprint_header": "The header in which the gateway wants our certificate's thumbprint.",
        "thumbprint_form": "SHA1, unless it is SHA256; then lower and colons, where they are wanted.",
        "on_unknown": "repeat, or park: leave a post whose outcome is unknown to a person.",
        **_SENDING,
    },
    "mail.yaml": {
        "host": "The mail server. Needed.",
        "sender": "Whom alerts come from. Needed.",
        "recipients": "Whom they go to, separated by commas. Needed.",
        "user": "The account, where the server wants one: the sender, unless it is given.",
        "password": "Its password; without one nobody signs in.",
        "security": "starttls, unless it is tls (from the first byte on).",
        "port": "587, or 465 with tls.",
        **_REACHING,
    },
    "webhook.yaml": {
        "url": "Where alerts are posted to, by https. Needed.",
        "secret": "What they are signed with, 24 characters or more. Needed.",
        **_REACHING,
    },
    "A third system": {
        "url": "Its address. Needed.",
        "token": "A bearer token; or else user and password.",
        "user": "The account.",
        "password": "Its password.",
        **_CLIENT,
        **_SENDING,
    },
}
ENVIRONMENT = {
    "NAME in `${NAME}`": "Any that a credential, or `store` in the project file, names by it; its value counts.",
    "PGPASSFILE": "The file with the password of a store in PostgreSQL; ~/.pgpass unless it is given.",
    "PGPASSWORD": "That password itself.",
    "PGHOSTADDR": "The address of that database's machine, in place of what its name leads to.",
    "SSL_CERT_FILE": "The authorities that are known, a PEM file, in place of the system's; better name a ca_file.",
    "SSL_CERT_DIR": "The same, a folder.",
    "TMPDIR": "Where temporary files lie.",
}


def page() -> str:
    """The whole page."""
    settings: dict[str, Schema] = project_schema()["properties"]
    plain = {name: shape for name, shape in settings.items() if not list(rows("", shape))}
    lines = [INTRODUCTION, *_table("The project", "Of the project as a whole.", plain)]
    for name, shape in settings.items():
        if name not in plain:
            lines += _table(name, shape["description"], {name: shape})
    lines += ["## Credentials", "", CREDENTIALS_INTRODUCTION, ""]
    for file, told in CREDENTIALS.items():
        lines += [f"### {file}", "", *_list("key", told)]
    lines += ["## Environment", "", ENVIRONMENT_INTRODUCTION, "", *_list("variable", ENVIRONMENT)]
    return "\n".join(lines).rstrip("\n") + "\n"


def rows(path: str, shape: Schema) -> Iterator[tuple[str, Schema]]:
    """Each setting within one, under its whole name, and its own shape, at any depth."""
    for name, inner in shape.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from rows(f"{path}.{name}", inner)
    others = shape.get("additionalProperties")
    if isinstance(others, dict):
        yield from rows(f"{path}.NAME", others)


def _table(title: str, purpose: str, settings: dict[str, Schema]) -> Iterator[str]:
    yield from (f"## {title}", "", purpose, "", "| setting | is | for |", "|---|---|---|")
    for name, shape in settings.items():
        for path, inner in list(rows(name, shape)) or [(name, shape)]:
            yield f"| `{path}` | {_kind(inner)} | {inner['description']} |"
    yield ""


def _list(of: str, told: dict[str, str]) -> Iterator[str]:
    yield from (f"| {of} | for |", "|---|---|")
    yield from (f"| {name if '`' in name else f'`{name}`'} | {purpose} |" for name, purpose in told.items())
    yield ""


def _kind(shape: Schema) -> str:
    """What a value must be, in words."""
    kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
    more = ", more than 0" if shape.get("exclusiveMinimum") == 0 else ""
    return " or ".join(_WORDS[kind] for kind in kinds) + more


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
