"""What has changed since the last start: settings, jobs, credentials and certificates, for the audit log (R-AU3).

What a service was started with is a flat table of texts: a setting of the project file as it is, a secret or a private
file as a fingerprint that says nothing to others, a certificate as its SHA-256 thumbprint. The table is kept, and the
next start tells where its own differs.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runner import credentials, yamlfile
from runner.credentials import PATH_KEYS, Secret
from runner.errors import Invalid
from runner.project import Project
from runner.provenance import Provenance
from runner.store import Store

_KEPT = "the last start"
_FINGERPRINT = 16

Facts = dict[str, str]
Fingerprint = Callable[[bytes], str]


def tell_start(store: Store, project: Project, folder: Path, made_of: Provenance, fingerprint: Fingerprint) -> None:
    """Write into the audit log that a service starts, and what is other than at the last start.

    `folder` is that of the credentials; `fingerprint` is the vault's. Raises StoreError.
    """
    found = facts(project, folder, fingerprint)
    last = store.setting(_KEPT)
    started = ("service_started", {"commit": made_of.version, "configuration": made_of.configuration,
                                   "jobs": sum(job.enabled for job in project.jobs.values())})  # fmt: skip
    differ = [] if last is None else list(differences(json.loads(last), found))
    store.record_start([started, *differ], setting=_KEPT, value=json.dumps(found), now=store.now())


def facts(project: Project, folder: Path, fingerprint: Fingerprint) -> Facts:
    """What a service is started with, by dotted names."""
    found = dict(_flat("project", yamlfile.read(project.path).value))
    for name, job in project.jobs.items():
        found.pop(f"project.jobs.{name}.enabled", None)
        found[f"enabled.{name}"] = "yes" if job.enabled else "no"
    for table in ("inbox", "console"):
        if certificate := project.settings.get(table, {}).get("certificate"):
            found[f"certificate.{table}"] = _thumbprint(project.folder / certificate)
    for name in sorted(project.credentials):
        found.update(_of_credential(folder, name, fingerprint))
    return found


def differences(before: Facts, after: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events that tell what has changed.

    >>> list(differences({"enabled.sort": "no", "project.name": "a"}, {"enabled.sort": "yes", "project.name": "a"}))
    [('job_enabled', {'job': 'sort'})]
    """
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        kind, _, rest = name.partition(".")
        if was == now:
            continue
        if kind == "enabled":
            if (was == "yes") != (now == "yes"):
                yield "job_enabled" if now == "yes" else "job_disabled", {"job": rest}
        elif kind == "certificate":
            yield "certificate_changed", {"setting": rest, "before": was, "after": now}
        else:
            yield "setting_changed", {"setting": name, "before": was, "after": now}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _of_credential(folder: Path, name: str, fingerprint: Fingerprint) -> Iterator[tuple[str, str]]:
    """A credential's entries; of one that can't be read, that it can't: its runs will say why."""
    try:
        found = credentials.load(folder, name)
    except Invalid:
        yield f"credential.{name}", "unreadable"
        return
    for key, value in found.items():
        if isinstance(value, Secret):
            yield f"credential.{name}.{key}", f"keyed:{fingerprint(value.reveal().encode())[:_FINGERPRINT]}"
        elif key in PATH_KEYS and value and key.endswith("certificate"):
            yield f"certificate.{name}.{key}", _thumbprint(Path(value))
        elif key in PATH_KEYS and value:
            yield f"credential.{name}.{key}", f"keyed:{fingerprint(Path(value).read_bytes())[:_FINGERPRINT]}"
        elif "@" in str(value):  # a person's address
            yield f"credential.{name}.{key}", f"keyed:{fingerprint(str(value).encode())[:_FINGERPRINT]}"
        else:
            yield f"credential.{name}.{key}", str(value)


def _thumbprint(path: Path) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(SHA256()).hex()
    except (OSError, ValueError):
        return "unreadable"
