"""What goes wrong at the seams: the service dies, the store refuses, the network fails, before or after the effect."""

from contextlib import contextmanager

import httpx

from runner.errors import StoreError, VaultError
from runner.guard import Ending
from runner.store import Store
from runner.store.ledger import Outbox
from runner.vault import Vault

# The answers of a system or of what stands before it, with no effect.
REFUSALS = {
    "500": (500, {}, '{"errors": [{"status": 500, "message": "Something broke"}]}'),
    "502 page": (502, {"content-type": "text/html"}, "<html><h1>502 Bad Gateway</h1></html>"),
    "503": (503, {"retry-after": "120"}, ""),
    "429": (429, {}, "Retry later\n"),
    "429 with time": (429, {"retry-after": "90"}, "Retry later\n"),
    "401": (401, {}, '{"errors": [{"status": 401}]}'),
}
ERRORS = {"no connection": httpx.ConnectError, "reset": httpx.ReadError, "time-out": httpx.ReadTimeout}
AFTER = ("500", "reset", "time-out", "502 page")
# What nobody foresaw, with 200.
ODD = ("null", "[]", '{"data": null}', '{"data": 7}', '{"data": [null], "metadata": {"total": 1}}', '{"data": [{}]}')
INSIDE = {"error inside": '{"error": "The record could not be matched"}', "success false": '{"success": false}'}


class Death(Ending):
    """The process is gone at this very instant."""


class Fate:
    """Decides at each crossing of a seam whether something goes wrong there, and which.

    `chance` is its own, so that the same seed meets the same fate; `tell` writes the story; `died` is called at the
    instant of a death, before anything unwinds. Once dead, nothing that the service still tries has any effect.
    """

    def __init__(self, risks, chance, tell, died):
        self.risks, self._chance, self.tell, self._died = risks, chance, tell, died
        self.deaths_left = risks.deaths
        self.raging = True
        self.dead = False
        self.away = set()  # "primero", "dtp"
        self.counts = {}

    def strikes(self, risk):
        """Whether something of this likelihood happens now."""
        return self.raging and risk > 0 and self._chance.random() < risk

    def choose(self, things):
        """One of these."""
        return self._chance.choice(tuple(things))

    def step(self, where, do):
        """Do something in which the service can die, before or after; gives what it gives."""
        if self.dead:
            raise Death
        fatal = self.deaths_left and self.strikes(self.risks.death)
        after = fatal and self._chance.random() < 0.5
        if fatal and not after:
            self._die(f"before {where}")
        result = do()
        if after:
            self._die(f"after {where}")
        return result

    def count(self, what):
        """Count something that went wrong, and tell it."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.tell(f"! {what}")

    def _die(self, when):
        self.deaths_left -= 1
        self.count("death")
        self.tell(f"  … {when}")
        self.dead = True
        self._died()
        raise Death


class MortalStore(Store):
    """A store in whose every change the process may die, and which may refuse for a while."""

    def __init__(self, folder, fate, witness, *, now, at=None):
        self._fate, self._witness = fate, witness
        super().__init__(folder, at=at, now=now)

    def change(self, work):
        """As Store.change."""
        self._refuse_sometimes(self._fate.risks.store)
        return self._fate.step("a change of the store", lambda: self._changed(work))

    def checkpoint(self, *, patience=0.25):
        """As Store.checkpoint; sometimes somebody reads meanwhile."""
        if self._fate.strikes(self._fate.risks.busy):
            self._fate.count("checkpoint busy")
            return False
        return self._fate.step("a checkpoint", lambda: super(MortalStore, self).checkpoint(patience=patience))

    @contextmanager
    def reading(self):
        """As Store.reading."""
        if self._fate.dead:
            raise Death
        self._refuse_sometimes(self._fate.risks.reading)
        with super().reading() as db:
            yield db

    def claim(self, now, *, jobs, only=None):
        """As Store.claim."""
        unit = super().claim(now, jobs=jobs, only=only)
        if unit:
            self._witness.begins(unit, earlier=self._waiting_before(unit))
        return unit

    def put_back(self, unit, **more):
        """As Store.put_back."""
        super().put_back(unit, **more)
        self._witness.ends(unit)

    def succeed(self, unit, run, next_units=(), **more):
        """As Store.succeed."""
        super().succeed(unit, run, next_units, **more)
        self._witness.ends(unit)

    def try_again(self, unit, run, **more):
        """As Store.try_again."""
        super().try_again(unit, run, **more)
        self._witness.ends(unit)

    def park(self, unit, run, **more):
        """As Store.park."""
        super().park(unit, run, **more)
        self._witness.ends(unit)
        self._witness.parks(unit)

    def give_up(self, unit, run, **more):
        """As Store.give_up."""
        super().give_up(unit, run, **more)
        self._witness.ends(unit)

    def settle_scheduled(self, job, run, **more):
        """As Store.settle_scheduled."""
        super().settle_scheduled(job, run, **more)
        self._witness.ran(job)

    def outbox(self, system=None):
        """As Store.outbox."""
        return WatchedOutbox(self, super().outbox(system), self._witness)

    def _waiting_before(self, unit):
        """How many units about the same subject came before this one, and aren't settled."""
        if unit.subject is None:
            return 0
        with super().reading() as db:
            ((count,),) = db.execute(
                """SELECT count(*) FROM units, (SELECT turn, number FROM units WHERE id = ?) AS own
                   WHERE subject = ? AND status IN ('pending', 'running')
                     AND (units.turn, units.number) < (own.turn, own.number)""",
                (unit.id, unit.subject),
            ).fetchall()
        return count

    def _changed(self, work):
        result = super().change(work)
        self._witness.store_changed()
        return result

    def _refuse_sometimes(self, risk):
        if not self._fate.dead and self._fate.strikes(risk):
            self._fate.count("store refuses")
            self._witness.forget()
            raise StoreError("the data directory can't be used: database is locked", fix="Wait.")


class WatchedOutbox(Outbox):
    """An outbox that tells the witness what is put into it."""

    def __init__(self, store, entries, witness):
        super().__init__(store, entries)
        self._witness = witness

    def append(self, entry):
        """As Outbox.append."""
        self._witness.waits(entry)
        super().append(entry)


class MortalVault(Vault):
    """A vault in whose every change the process may die, and whose folder may refuse for a while. `sealed` remembers
    what it sealed, to be looked for when it should be gone."""

    def __init__(self, keys, fate, sealed, *, now):
        super().__init__(keys, now=now)
        self._fate, self.sealed = fate, sealed

    def ensure_today(self):
        """As Vault.ensure_today."""
        self._refuse_sometimes()
        return self._fate.step("the making of a key", super().ensure_today)

    def seal(self, plain, about):
        """As Vault.seal."""
        sealed = super().seal(plain, about)
        self.sealed.append(sealed.ciphertext)
        return sealed

    def open(self, sealed, about):
        """As Vault.open; sometimes the key can't be read, and the service ends."""
        if not self._fate.dead and self._fate.strikes(self._fate.risks.key):
            self._fate.count("key unreadable")
            raise VaultError("the epoch key can't be read: Input/output error", fix="Put it back.")
        return super().open(sealed, about)

    def destroy(self, epoch):
        """As Vault.destroy."""
        self._refuse_sometimes()
        return self._fate.step("the end of a key", lambda: super(MortalVault, self).destroy(epoch))

    def _refuse_sometimes(self):
        if not self._fate.dead and self._fate.strikes(self._fate.risks.vault):
            self._fate.count("vault refuses")
            raise StoreError("the keys can't be used: Input/output error", fix="Wait.")


class FaultyTransport(httpx.BaseTransport):
    """The way to the stand-ins, which is not always open. `witness` sees what was done and what the caller learnt."""

    def __init__(self, inner, fate, witness):
        self._inner, self._fate, self._witness = inner, fate, witness

    def handle_request(self, request):
        """Carry one request, or fail."""
        fate, system = self._fate, "dtp" if request.url.host.startswith("dtp") else "primero"
        where = f"{request.method} {system}{request.url.path}"
        if fate.dead:
            return fate.step(where, lambda: None)
        self._witness.before_call()
        attempt = self._witness.attempted(request)
        try:
            return fate.step(where, lambda: self._carried(request, system, where))
        except httpx.ConnectError:
            attempt["in vain"] = True
            raise

    def _carried(self, request, system, where):
        fate = self._fate
        if system in fate.away:
            raise httpx.ConnectError("away", request=request)
        struck = fate.strikes(fate.risks.http)
        if struck and fate.choose((True, False)):
            return self._failed(request, where, fate.choose((*REFUSALS, *ERRORS)), "without effect")
        if request.method == "GET" and fate.strikes(fate.risks.odd):
            self._fate.count("http 200 with something odd")
            return httpx.Response(200, content=fate.choose(ODD).encode(), request=request)
        if struck and system == "dtp" and fate.choose((True, False, False)):
            return self._refused_inside(request, where)
        response = self._inner.handle_request(request)
        if struck:
            self._witness.called(request, response, learnt=False)
            return self._failed(request, where, fate.choose(AFTER), "after its effect")
        self._witness.called(request, response, learnt=True)
        return response

    def _failed(self, request, where, how, effect):
        self._fate.count(f"http {how} {effect}")
        self._fate.tell(f"  … {where}")
        if how in ERRORS:
            raise ERRORS[how](how, request=request)
        status, headers, body = REFUSALS[how]
        return httpx.Response(status, headers=headers, content=body.encode(), request=request)

    def _refused_inside(self, request, where):
        how = self._fate.choose(INSIDE)
        self._fate.count(f"http 200 with {how}")
        self._fate.tell(f"  … {where}")
        self._witness.refused_inside(request)
        return httpx.Response(200, content=INSIDE[how].encode(), request=request)
