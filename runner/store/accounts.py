"""Who may look at the console, and who is looking: accounts, sessions, and tries to sign in that failed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.store.audit import note
from runner.store.connection import Transaction
from runner.store.database import Database
from runner.store.moments import optional_moment, text

_COLUMNS = "name, role, password, salt, step, created, ended"
_SESSION = "digest, account, begun, used, confirmed"


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in. `password` is an argon2id hash; the secret of the second factor is made of `salt` with
    the store's own key, so that it stands nowhere; `step` is that of the last code that was used."""

    name: str
    role: str
    password: str
    salt: str
    created: datetime
    step: int = 0
    ended: datetime | None = None


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in. `digest` is the hash of its secret id; `confirmed` is when they last proved who they
    are, `used` when they last asked for something."""

    digest: str
    account: str
    begun: datetime
    used: datetime
    confirmed: datetime


class Accounts(Database):
    """Accounts and sessions of the console."""

    def put_account(self, account: Account) -> bool:
        """Keep an account; one of that name is replaced, and its sessions end. False when there was none before."""
        values = (account.name, account.role, account.password, account.salt, account.step, text(account.created))

        def work(db: Transaction) -> bool:
            replaced = _end_account(db, account.name, account.created)
            db.execute(
                """INSERT INTO accounts (name, role, password, salt, step, created) VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password,
                     salt = excluded.salt, step = excluded.step, created = excluded.created, ended = NULL""",
                values,
            )
            note(db, "account_made", account.created, account=account.name, role=account.role)
            return replaced

        return self.change(work)

    def end_account(self, name: str, *, now: datetime) -> bool:
        """Nobody signs in by it any more, and its sessions end; False when there is none."""

        def work(db: Transaction) -> bool:
            found = _end_account(db, name, now)
            if found:
                note(db, "account_ended", now, account=name)
            return found

        return self.change(work)

    def change_password(self, name: str, password: str, *, session: str, now: datetime) -> bool:
        """Let an account have another password, and end its sessions but this one; False when there is none."""
        changed = "UPDATE accounts SET password = ? WHERE name = ? AND ended IS NULL"
        return self.change(lambda db: _renew(db, changed, (password, name), "password_changed", session, now))

    def change_factor(self, name: str, salt: str, step: int, *, session: str, now: datetime) -> bool:
        """The same for its second factor; `step` is that of the code which has proved it."""
        changed = "UPDATE accounts SET salt = ?, step = ? WHERE name = ? AND ended IS NULL"
        return self.change(lambda db: _renew(db, changed, (salt, step, name), "factor_renewed", session, now))

    def accounts(self) -> list[Account]:
        """All accounts, also those that were ended."""
        return [_account(row) for row in self.read(f"SELECT {_COLUMNS} FROM accounts ORDER BY name")]

    def account(self, name: str) -> Account | None:
        """The account of this name, unless it was ended."""
        rows = self.read(f"SELECT {_COLUMNS} FROM accounts WHERE name = ? AND ended IS NULL", name)
        return next((_account(row) for row in rows), None)

    def count_try(self, key: str, *, since: datetime, now: datetime) -> int:
        """Count a try to sign in before it is looked at; how many there have been without a success.

        `key` is keyed, and also counted for whom nobody knows. Tries are forgotten when there was none since `since`.
        """

        def work(db: Transaction) -> int:
            db.execute("DELETE FROM sign_ins WHERE last < ?", (text(since),))
            db.execute(
                """INSERT INTO sign_ins (name, tries, last) VALUES (?, 1, ?)
                   ON CONFLICT (name) DO UPDATE SET tries = sign_ins.tries + 1, last = excluded.last""",
                (key, text(now)),
            )
            (tries,) = db.execute("SELECT tries FROM sign_ins WHERE name = ?", (key,)).fetchone()
            return int(tries)

        return self.change(work)

    def take_step(self, name: str, step: int, *, key: str) -> bool:
        """Use up a code of the second factor and forget the tries; False when it, or a later one, was used before."""

        def work(db: Transaction) -> bool:
            taken = "UPDATE accounts SET step = ? WHERE name = ? AND step < ? AND ended IS NULL"
            if db.execute(taken, (step, name, step)).rowcount != 1:
                return False
            db.execute("DELETE FROM sign_ins WHERE name = ?", (key,))
            return True

        return self.change(work)

    def begin_session(self, session: Session) -> None:
        """Keep a new session."""
        values = (session.digest, session.account, *map(text, (session.begun, session.used, session.confirmed)))

        def work(db: Transaction) -> None:
            db.execute("INSERT INTO sessions (digest, account, begun, used, confirmed) VALUES (?, ?, ?, ?, ?)", values)
            note(db, "signed_in", session.begun, account=session.account)

        self.change(work)

    def find_session(self, digest: str) -> Session | None:
        """The session of this hash, or None."""
        rows = self.read(f"SELECT {_SESSION} FROM sessions WHERE digest = ?", digest)
        return next(map(_session, rows), None)

    def sessions(self, account: str) -> list[Session]:
        """The sessions of an account, the newest first, also those that have lasted too long."""
        rows = self.read(f"SELECT {_SESSION} FROM sessions WHERE account = ? ORDER BY begun DESC, digest", account)
        return [_session(row) for row in rows]

    def touch_session(self, digest: str, now: datetime) -> None:
        """Remember that a session is in use."""
        self.change(lambda db: db.execute("UPDATE sessions SET used = ? WHERE digest = ?", (text(now), digest)))

    def end_session(self, digest: str, *, now: datetime, account: str | None = None) -> None:
        """End a session, where there is one; where an account is given, only one of that."""

        def work(db: Transaction) -> None:
            ended = "DELETE FROM sessions WHERE digest = ? AND account = coalesce(?, account) RETURNING account"
            for (name,) in db.execute(ended, (digest, account)).fetchall():
                note(db, "signed_out", now, account=name)

        self.change(work)

    def end_sessions(self, account: str, *, now: datetime, but: str = "") -> int:
        """End all sessions of an account, `but` the one of this hash. How many there were."""
        return self.change(lambda db: _end_sessions(db, account, but, now))

    def forget_sessions(self, *, begun: datetime, used: datetime) -> None:
        """Delete the sessions that began, or were last used, before then."""
        limits = (text(begun), text(used))
        self.change(lambda db: db.execute("DELETE FROM sessions WHERE begun < ? OR used < ?", limits))


def _renew(db: Transaction, changed: str, values: tuple[Any, ...], event: str, session: str, now: datetime) -> bool:
    """Change an account, whose name is the last of the values."""
    if db.execute(changed, values).rowcount != 1:
        return False
    note(db, event, now, account=values[-1])
    _end_sessions(db, values[-1], session, now)
    return True


def _end_sessions(db: Transaction, account: str, but: str, now: datetime) -> int:
    count = db.execute("DELETE FROM sessions WHERE account = ? AND digest <> ?", (account, but)).rowcount
    if count:
        note(db, "signed_out", now, account=account)
    return count


def _end_account(db: Transaction, name: str, now: datetime) -> bool:
    db.execute("DELETE FROM sessions WHERE account = ?", (name,))
    ended = "UPDATE accounts SET ended = ? WHERE name = ? AND ended IS NULL"
    return db.execute(ended, (text(now), name)).rowcount == 1


def _account(row: Any) -> Account:
    name, role, password, salt, step, created, ended = row
    return Account(name, role, password, salt, datetime.fromisoformat(created), step, optional_moment(ended))


def _session(row: Any) -> Session:
    digest, account, *moments = row
    return Session(digest, account, *map(datetime.fromisoformat, moments))
