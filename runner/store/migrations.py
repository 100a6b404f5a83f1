"""The tables, as they came to be. Each step is run once, in order; how many have been is kept beside them.

They are written for SQLite; PostgreSQL spells them in its own way (postgres.py).
A step is never changed once it was released; what comes later is added below. No table holds a record's data: they hold
ids, codes, counts, times and keyed texts, and `envelopes` what nobody can read without the vault.
"""

from collections.abc import Sequence

from runner.errors import StoreError
from runner.logs import audit
from runner.store import mentions
from runner.store.connection import Link, Transaction

WITH_KEY = 3  # the first version that has a key of its own beside it

STEPS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE ledger (
             kind TEXT NOT NULL, key TEXT NOT NULL,
             status TEXT NOT NULL, value TEXT NOT NULL, answer TEXT NOT NULL, updated TEXT NOT NULL,
             PRIMARY KEY (kind, key)) WITHOUT ROWID""",
        "CREATE TABLE cursors (job TEXT PRIMARY KEY, cursor TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE outbox (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             system TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, entry TEXT NOT NULL, since TEXT NOT NULL)""",
    ),
    (
        """CREATE TABLE messages (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             id TEXT NOT NULL UNIQUE, key_label TEXT NOT NULL, fingerprint TEXT NOT NULL,
             size INTEGER NOT NULL, matched INTEGER NOT NULL, duplicates INTEGER NOT NULL DEFAULT 0,
             status TEXT NOT NULL, arrived TEXT NOT NULL, expires TEXT, settled TEXT)""",
        "CREATE INDEX messages_alike ON messages (fingerprint)",
        # turn: its place in the order of arrival, the same for all of a message.
        # head: none of its subject stands before it.
        # claims: how often it was begun, so that a worker that lost it can't settle it.
        """CREATE TABLE units (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             id TEXT NOT NULL UNIQUE, message TEXT REFERENCES messages (id),
             job TEXT NOT NULL, subject TEXT, started_by TEXT NOT NULL,
             turn INTEGER NOT NULL, head INTEGER NOT NULL DEFAULT 1,
             status TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, claims INTEGER NOT NULL DEFAULT 0,
             arrived TEXT NOT NULL, since TEXT NOT NULL, due TEXT NOT NULL,
             code TEXT, error TEXT, expires TEXT, settled TEXT)""",
        "CREATE INDEX units_due ON units (job, due, turn, number) WHERE status = 'pending' AND head",
        "CREATE INDEX units_of_subject ON units (subject, turn, number) WHERE status IN ('pending', 'running')",
        "CREATE INDEX units_of_message ON units (message)",
        "CREATE INDEX units_running ON units (number) WHERE status = 'running'",
        "CREATE INDEX units_to_expire ON units (expires) WHERE expires IS NOT NULL",
        "CREATE INDEX units_by_status ON units (status, number)",
        # Apart from the rows that stay, and the wrapped key apart from what it opens.
        "CREATE TABLE envelopes (holder TEXT PRIMARY KEY, ciphertext BLOB NOT NULL)",
        "CREATE TABLE wrapped_keys (holder TEXT PRIMARY KEY, epoch TEXT NOT NULL, wrapped BLOB NOT NULL) WITHOUT ROWID",
        "CREATE INDEX wrapped_keys_of_epoch ON wrapped_keys (epoch)",
        """CREATE TABLE receipts (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             holder TEXT NOT NULL, message TEXT, reason TEXT NOT NULL,
             accepted TEXT NOT NULL, erased TEXT NOT NULL, verified TEXT)""",
        "CREATE INDEX receipts_unverified ON receipts (number) WHERE verified IS NULL",
        """CREATE TABLE runs (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, unit TEXT,
             started TEXT NOT NULL, ended TEXT NOT NULL, outcome TEXT NOT NULL, code TEXT, counts TEXT NOT NULL)""",
        "CREATE INDEX runs_succeeded ON runs (job, ended) WHERE outcome = 'succeeded'",
        """CREATE TABLE items (
             run TEXT NOT NULL REFERENCES runs (id), position INTEGER NOT NULL,
             outcome TEXT NOT NULL, ids TEXT NOT NULL, code TEXT, message TEXT, fix TEXT,
             PRIMARY KEY (run, position)) WITHOUT ROWID""",
        """CREATE TABLE slots (
             job TEXT NOT NULL, slot TEXT NOT NULL, taken TEXT NOT NULL, settled TEXT,
             PRIMARY KEY (job, slot)) WITHOUT ROWID""",
        """CREATE TABLE item_tries (
             job TEXT NOT NULL, record TEXT NOT NULL, tries INTEGER NOT NULL,
             PRIMARY KEY (job, record)) WITHOUT ROWID""",
        """CREATE TABLE parked (
             job TEXT NOT NULL, record TEXT NOT NULL, ids TEXT NOT NULL,
             code TEXT, message TEXT, fix TEXT, since TEXT NOT NULL, released TEXT,
             PRIMARY KEY (job, record)) WITHOUT ROWID""",
        "CREATE TABLE circuits (credential TEXT PRIMARY KEY, until TEXT NOT NULL, code TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE keys (
             id TEXT PRIMARY KEY, label TEXT NOT NULL, salt BLOB NOT NULL, digest BLOB NOT NULL,
             created TEXT NOT NULL, expires TEXT, last_used TEXT, revoked TEXT) WITHOUT ROWID""",
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        # What the entries of the audit log say, and how they are bound to each other: runner/logs/audit.py.
        """CREATE TABLE audit (
             number INTEGER PRIMARY KEY,
             time TEXT NOT NULL, event TEXT NOT NULL, who TEXT NOT NULL, about TEXT NOT NULL,
             previous TEXT NOT NULL, hash TEXT NOT NULL, seal TEXT NOT NULL)""",
        "CREATE INDEX audit_by_event ON audit (event, number)",
        "CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'audit is append-only'); END",
        "CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'audit is append-only'); END",
        """CREATE TABLE audit_end (
             one INTEGER PRIMARY KEY CHECK (one = 1),
             number INTEGER NOT NULL, hash TEXT NOT NULL, seal TEXT NOT NULL)""",
        # Which files a run was made of: the project's commit, and the hash of what it consists of.
        "ALTER TABLE runs ADD COLUMN version TEXT",
        "ALTER TABLE runs ADD COLUMN configuration TEXT",
        "CREATE INDEX runs_by_end ON runs (ended)",
        # held: restored from a backup, and perhaps delivered since that was made.
        "ALTER TABLE outbox ADD COLUMN held INTEGER NOT NULL DEFAULT 0",
    ),
    (
        "DROP INDEX units_due",
        "CREATE INDEX units_due ON units (job, due, turn, number) WHERE status = 'pending' AND head = 1",
        # epoch: the newest whose key could have opened what was erased.
        "ALTER TABLE receipts ADD COLUMN epoch TEXT",
    ),
    (
        # What only a running service could see, how often, and when first and last.
        """CREATE TABLE signs (
             code TEXT NOT NULL, about TEXT NOT NULL, why TEXT NOT NULL,
             first TEXT NOT NULL, last TEXT NOT NULL, times INTEGER NOT NULL,
             PRIMARY KEY (code, about, why)) WITHOUT ROWID""",
        # Who is told of what needs a look: the last digest and the last run in it, notices sent, tries that failed.
        """CREATE TABLE recipients (
             name TEXT PRIMARY KEY, digested TEXT NOT NULL, counted INTEGER NOT NULL,
             sent INTEGER NOT NULL, tries INTEGER NOT NULL, due TEXT) WITHOUT ROWID""",
        # What each of them was told is so, and not yet that it has ended.
        """CREATE TABLE told (
             recipient TEXT NOT NULL, code TEXT NOT NULL, about TEXT NOT NULL, why TEXT NOT NULL,
             severity TEXT NOT NULL, step INTEGER NOT NULL, time TEXT NOT NULL,
             PRIMARY KEY (recipient, code, about, why)) WITHOUT ROWID""",
        # So that what needs a look is found without reading what is settled.
        "CREATE INDEX runs_by_job ON runs (job, number)",
        "CREATE INDEX runs_through ON runs (job, ended) WHERE outcome <> 'failed'",
        "CREATE INDEX messages_quarantined ON messages (number) WHERE status = 'quarantined'",
    ),
    (
        # Who may sign in to the console; the secret of the second factor is made of salt and the store's own key.
        """CREATE TABLE accounts (
             name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, salt TEXT NOT NULL,
             step INTEGER NOT NULL, created TEXT NOT NULL, ended TEXT) WITHOUT ROWID""",
        # digest: the hash of its secret id, by which nobody else can use it.
        """CREATE TABLE sessions (
             digest TEXT PRIMARY KEY, account TEXT NOT NULL,
             begun TEXT NOT NULL, used TEXT NOT NULL, confirmed TEXT NOT NULL) WITHOUT ROWID""",
        # Tries since the last success, also of names that nobody has, so that those can't be told apart.
        "CREATE TABLE sign_ins (name TEXT PRIMARY KEY, tries INTEGER NOT NULL, last TEXT NOT NULL) WITHOUT ROWID",
        # What its pages look for.
        "CREATE INDEX runs_by_outcome ON runs (outcome, number)",
        "CREATE INDEX runs_by_code ON runs (code, number) WHERE code IS NOT NULL",
        "CREATE INDEX runs_by_unit ON runs (unit, number) WHERE unit IS NOT NULL",
        "CREATE INDEX units_by_code ON units (code, number) WHERE status IN ('parked', 'dead')",
    ),
    (
        # Which items name an id (mentions.py), and the items of one outcome or code, the newest first.
        """CREATE TABLE mentions (
             name TEXT NOT NULL, run INTEGER NOT NULL, position INTEGER NOT NULL,
             PRIMARY KEY (name, run, position)) WITHOUT ROWID""",
        "ALTER TABLE items ADD COLUMN run_number INTEGER",
        "UPDATE items SET run_number = (SELECT number FROM runs WHERE runs.id = items.run)",
        "CREATE INDEX items_to_see ON items (outcome, run_number) WHERE outcome <> 'done'",
        "CREATE INDEX items_by_code ON items (code, run_number) WHERE code IS NOT NULL",
        # What is tried again, by when.
        "CREATE INDEX units_again ON units (status, due) WHERE status = 'pending' AND tries > 0",
        # What else is found by an id, or settled by its cause.
        "CREATE INDEX units_by_subject ON units (subject, number) WHERE subject IS NOT NULL",
        "CREATE INDEX parked_by_record ON parked (record)",
        "CREATE INDEX parked_by_code ON parked (code, since) WHERE released IS NULL",
        # The operations of a run with the seconds that each took, and the class of the error that ended it.
        "ALTER TABLE runs ADD COLUMN steps TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE runs ADD COLUMN error_type TEXT",
    ),
    (
        # How many runs, and items of them, came to an outcome on a day of UTC; `kind` is run or item.
        """CREATE TABLE days (
             day TEXT NOT NULL, job TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL,
             PRIMARY KEY (day, job, kind, outcome)) WITHOUT ROWID""",
        """INSERT INTO days SELECT substr(ended, 1, 10), job, 'run', outcome, count(*) FROM runs
             GROUP BY substr(ended, 1, 10), job, outcome""",
        """INSERT INTO days SELECT substr(runs.ended, 1, 10), runs.job, 'item', items.outcome, count(*)
             FROM items JOIN runs ON runs.id = items.run
             GROUP BY substr(runs.ended, 1, 10), runs.job, items.outcome""",
    ),
)  # fmt: skip

# The first version that has mentions of the items that it keeps.
_WITH_MENTIONS = next(
    number for number, step in enumerate(STEPS, start=1) if any("CREATE TABLE mentions" in each for each in step)
)


def migrate(db: Transaction, link: Link) -> None:
    """Bring the tables up to date, within the transaction at hand. Raises StoreError for a newer store, and for one
    that was made with another key."""
    link.recognise(db.sealed("store"))
    version = link.version()
    if version > len(STEPS):
        raise StoreError("the data directory was made by a newer version of the runner", fix="Update the runner.")
    for statement in (statement for statements in STEPS[version:] for statement in statements):
        db.execute(link.spelled(statement))
    if version < WITH_KEY:
        seal = db.sealed(f"end 0 {audit.START}")
        db.execute("INSERT INTO audit_end (one, number, hash, seal) VALUES (1, 0, ?, ?)", (audit.START, seal))
    if version < _WITH_MENTIONS:
        mentions.note_all(db)
    if version < len(STEPS):
        link.set_version(len(STEPS))
    link.equip()
