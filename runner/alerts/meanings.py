"""What codes mean, and what to do: of everything that can stand behind a run, an item, or what waits for a person.

The same stands in docs/runbook.md, with the names of the systems, links and commands; a test compares the two.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a code means, and what to do, in a few sentences each."""

    means: str
    do: str


def meaning(code: str | None) -> Meaning | None:
    """What a code means; None for none, and for a job script's own.

    >>> meaning("no_key").do, meaning("our_own")
    ('Settle it by hand.', None)
    """
    return MEANINGS.get(code or "")


MEANINGS: Mapping[str, Meaning] = {
    "unreachable": Meaning(
        "No connection to the far side.",
        "Nothing at first. If it lasts: does the far side run, is its address right, does the firewall let us out?",
    ),
    "timed_out": Meaning(
        "The far side didn't answer in time. What was sent may have arrived; that is found out, or "
        "recognisable, before anything is sent again.",
        "As for unreachable.",
    ),
    "connection_lost": Meaning(
        "The connection ended before an answer.",
        "If it is always so, the far side may refuse our certificate; see runner cert check.",
    ),
    "server_error": Meaning("The far side failed (5xx).", "Tell those who run it, if it lasts."),
    "too_many_requests": Meaning(
        "The far side asked us to come later (429), which is heeded.", "If it lasts, lower rate in the credential."
    ),
    "quota_spent": Meaning(
        "The gateway's quota is used up; we wait until it is replenished.", "Ask its owner for more."
    ),
    "redirected": Meaning(
        "The far side named another address. We follow none.",
        "If the new address is right, put it into the credential.",
    ),
    "not_allowed": Meaning(
        "The far side refused our account (401), or what it wanted to do (403).",
        "Check user, password and role; for mail, user and password of the mail server.",
    ),
    "locked": Meaning(
        "After a 401 nothing more is asked in that run, since the far side locks an account at the sixth "
        "wrong password.",
        "Correct the password in the credential.",
    ),
    "resting": Meaning(
        "The credential was refused a while ago, and is left alone.",
        "Correct it on both sides; it is tried again by itself.",
    ),
    "key_refused": Meaning(
        "The gateway refused our subscription keys.", "Put the ones that count into the credential."
    ),
    "secondary_key": Meaning(
        "The primary subscription key was refused, and the secondary one taken.",
        "Put the new primary key into the credential before the secondary one ends.",
    ),
    "certificate_refused": Meaning(
        "The far side refused our client certificate.",
        "See runner cert show: is it the one whose thumbprint was handed over, and valid?",
    ),
    "next_certificate": Meaning(
        "The client certificate was refused, and the next one taken.", "Make the next one the first."
    ),
    "tls_failed": Meaning(
        "The far side's certificate can't be verified, or it speaks no TLS that is safe. Nothing was sent.",
        "If an authority of your own signed it, name that authority's file as ca_file in the credential. "
        "There is no switch.",
    ),
    "tls_files": Meaning("The certificate or key of a credential can't be loaded.", "See what runner cert check says."),
    "private_address": Meaning(
        "A host has an address that isn't public. Nothing was sent.",
        "If that is meant, write addresses into the credential.",
    ),
    "foreign_host": Meaning(
        "A job asked for a host that the credential doesn't name. Nothing was sent.",
        "Correct the job script, or the credential.",
    ),
    "plain_http": Meaning(
        "The credential names a host without https.", "Write https://; plain http is for this machine only."
    ),
    "addresses": Meaning(
        "The addresses of a credential can't be read.", "Write addresses or networks, such as 10.20.0.7, 10.30.0.0/16."
    ),
    "no_credential": Meaning(
        "The job uses a credential that the project file doesn't give it.",
        "Name it under the job's credentials, and write its file.",
    ),
    "credential_incomplete": Meaning(
        "The credential lacks an entry, which the message names.", "Compare with the file in credentials.example/."
    ),
    "bad_header": Meaning(
        "A key in the credential can't be sent, since it holds a line break. Nothing was sent.",
        "Write that key on one line.",
    ),
    "transport": Meaning(
        "The credential of the far side names no transport that is known.",
        "Take the transport of the file in credentials.example/.",
    ),
    "version": Meaning("The far side is older than 2.6, and could make a case twice.", "Ask its host for an update."),
    "unreadable_answer": Meaning(
        "The far side answered with something that is no answer. A proxy may have answered in its place.",
        "Check the address in the credential.",
    ),
    "untrustworthy": Meaning(
        "An answer doesn't fit the question, so that nothing of it was used.",
        "Tell the far side's host, with time and code.",
    ),
    "filter_ignored": Meaning(
        "The far side answered with records outside the filter that was sent: our role can't see the field "
        "that is filtered by. The run stopped before anything was used.",
        "Give our role the form with that field.",
    ),
    "pages_shifted": Meaning(
        "A list of the far side changed each time it was read.",
        "Nothing; if it is always so, ask somebody who writes jobs for a narrower window.",
    ),
    "far_side": Meaning(
        "The far side did something for which there is no better word.", "Read the message: runner runs show ID."
    ),
    "rejected": Meaning(
        "The far side read what was sent and refused it; the message names the fields. For mail and webhooks "
        "it holds the number that came back.",
        "Correct these fields at their source, or their mapping; then retry it.",
    ),
    "not_found": Meaning(
        "There is no such record, or our account can't see it.",
        "Look for it in the far side with the id; is it in the scope of our role?",
    ),
    "ambiguous": Meaning(
        "More than one case answers the description.",
        "Let a caseworker merge them in the far side, then retry it. The sender was told.",
    ),
    "conflict": Meaning(
        "The far side says that such a case exists, and our account can't see it.",
        "Give our role the scope all, or look for the case by hand.",
    ),
    "id_taken": Meaning(
        "The id that a new case would have is that of another child's.", "Compare the two by hand in the far side."
    ),
    "bad_input": Meaning(
        "The record is wrong or ambiguous; the message tells which field.", "Let the sender correct it."
    ),
    "missing_fields": Meaning(
        "Required fields are empty; the message names them.", "Let the sender fill them in. The other agency was told."
    ),
    "invalid_data": Meaning("A field holds what it can't hold, such as no real date.", "Let the sender correct it."),
    "unknown_code": Meaning(
        "A value isn't in the table of the job script.",
        "Add it to the table, if the agencies agree what it means; then retry it.",
    ),
    "not_agreed": Meaning(
        "The service type is not among the agreed ones. Nothing was sent.",
        "Nothing; if it should be, the agencies agree on it first.",
    ),
    "no_service": Meaning(
        "The referral is of the whole case, or of a service that is gone.",
        "Let the caseworker refer one service of the case to the other agency instead.",
    ),
    "other_agency": Meaning("The service isn't the other agency's. Nothing was sent.", "Nothing."),
    "no_consent": Meaning(
        "There is no consent, and none was overridden on the referral. Nothing was sent.",
        "Nothing; it is sent when the caseworker records the consent.",
    ),
    "withheld": Meaning("Consent or agreement says no. Nothing was sent, and that is right.", "Nothing."),
    "parked": Meaning("A person must settle it; the message says what.", "As the fix says, then retry it."),
    "decision_ignored": Meaning(
        "The far side took the other agency's decision and left the referral as it was.",
        "Look at the referral: is it in progress, and does our account receive it? Then retry it.",
    ),
    "decided_otherwise": Meaning(
        "The referral was decided otherwise in the far side already, which is never overwritten.",
        "Let the two agencies settle which decision holds.",
    ),
    "owner_missing": Meaning(
        "A case was made, but the far side gave it no owner, so that only administrators see it.",
        "Assign it by hand; see that the intake user in the job script exists and is enabled.",
    ),
    "not_kept": Meaning(
        "The far side took the request, and didn't keep what was in it.",
        "Are the fields on a form that our role may write? Then retry it.",
    ),
    "outcome_unknown": Meaning(
        "Something was sent, and nobody knows whether it arrived (on_unknown: park).",
        "Ask the other agency by the number; then retry it if it didn't, else discard it.",
    ),
    "answer_refused": Meaning(
        "The far side read an answer and refused it.", "Correct what the message names; then retry it."
    ),
    "waiting_behind": Meaning(
        "An earlier answer for the same referral isn't delivered yet, and nothing overtakes it.",
        "Settle the earlier one.",
    ),
    "not_waitable": Meaning("An answer holds more than ids and codes, and can't wait.", "Correct the job script."),
    "no_key": Meaning(
        "What should be sent has no usable number by which it could be recognised.", "Settle it by hand."
    ),
    "not_vouched": Meaning(
        "After a restore nobody can tell whether it was sent before.",
        "Ask the other side whether it has it; then retry it if it hasn't, else discard it.",
    ),
    "not_sent": Meaning(
        "Reconciling found what the other agency should have, and isn't known to have been sent.",
        "Let it be sent: runner reconcile --repair.",
    ),
    "not_sent_yet": Meaning("The same, but it may be on its way.", "Wait for the next run of its job."),
    "unanswered": Meaning(
        "The other agency hasn't answered a referral for long.", "Ask the other agency by its number."
    ),
    "answer_unknown": Meaning(
        "The other agency's referral stands in the far side, and no answer to it is known.",
        "Ask the other agency; it can send the referral again, which is then answered.",
    ),
    "answered_twice_differently": Meaning(
        'The other agency was told "Delivery Fail", and yet the service was delivered.',
        "Tell the other agency that it was delivered; then runner reconcile --told ID.",
    ),
    "revoked_after_sending": Meaning(
        "The referral was revoked after it was sent.", "Tell the other agency; then runner reconcile --told ID."
    ),
    "consent_withdrawn": Meaning(
        "Consent was withdrawn after the referral was sent.", "Tell the other agency, as the page says."
    ),
    "unforeseen": Meaning(
        "The job or the program met an error that nobody foresaw; the log tells class, file and line (job_raised).",
        "Keep that line for those who write the job, then retry it when it is mended.",
    ),
    "error": Meaning("An error of an adaptor without a word of its own.", "As for unforeseen."),
    "runner": Meaning(
        "The runner itself went wrong; the message tells class, file and line.",
        "Report the line, with the command and without any data.",
    ),
    "job_script": Meaning(
        "The job script is wrong, and no record can be right until it is mended.",
        "Tell those who write it; what waits is tried again.",
    ),
    "promise_misused": Meaning("A job script used a promise as if it were the value.", "As for job_script."),
    "not_agreed_field": Meaning(
        "A job would read or send a field that isn't an agreed one. Nothing was sent.",
        "Take it out, or add it to the mapping when it is agreed.",
    ),
    "no_state": Meaning("A function of a job script returned nothing.", "End it with return state."),
    "no_cursor": Meaning(
        "A job doesn't know from when on to read.",
        "Set it to the day on which the exchange began: runner cursor set JOB 2026-03-01T00:00:00Z.",
    ),
    "stamp": Meaning("A time that was given can't be read.", "Write it like 2026-03-01T00:00:00Z."),
    "url_too_long": Meaning(
        "A request would be longer than the far side takes.",
        "Let the job ask for fewer fields, or fewer ids at a time.",
    ),
    "job_failed": Meaning(
        "An operation of a job raised an error, and the run ended there; a better code stands beside it.",
        "Read the message.",
    ),
    "stopped": Meaning(
        "A run took too long, or was interrupted. It goes on from where it was.",
        "If it is always so, raise the job's timeout.",
    ),
    "wrong_use": Meaning("A command can't be meant like this; the message says why.", "See commands."),
    "unreadable_file": Meaning("A file that was named can't be read or written.", "As the fix says."),
    "invalid": Meaning(
        "Project file, job script or credential is wrong; the message tells where.",
        "As the fix says; runner list tells whether all is well.",
    ),
    "store": Meaning(
        "The data directory can't be used. What was accepted is safe, and the inbox answers 503 meanwhile.",
        "Is the disk full, read-only, or somebody else's, as told in.",
    ),
    "unconfirmed": Meaning(
        "The database was lost at the very moment when something was kept, and can't be asked yet whether it was.",
        "Look at the database; what was under way asks by itself and goes on, and nothing is done twice.",
    ),
    "in_use": Meaning("Another command or service is at the same thing.", "Wait for it to end."),
    "taken_over": Meaning("A unit of work was settled by somebody else meanwhile.", "Nothing."),
    "epoch_retired": Meaning("A day ended just as something was sealed; it was sealed again.", "Nothing."),
    "vault": Meaning(
        "A key of the vault is missing, wrong, or readable by others. Nothing was touched.",
        "Look after the data directory and its keys.",
    ),
    "expired": Meaning("The certificate has ended.", "Ask for another at once."),
    "ends_soon": Meaning("The certificate ends soon.", "See certificate_ends."),
    "not_yet_valid": Meaning("The certificate begins in the future.", "Look at this machine's clock."),
    "key_mismatch": Meaning("The private key is that of another certificate.", "Name the two that belong together."),
    "weak_key": Meaning(
        "The certificate's key is too weak.",
        "Ask for another: runner cert request client --common-name bridge.example.org.",
    ),
    "wrong_usage": Meaning(
        "The certificate isn't meant for this side of a connection.", "Ask who issued it for one with the right usage."
    ),
    "chain_incomplete": Meaning(
        "Who issued the certificate is neither known here nor in the file.",
        "Append the issuers' certificates to the file.",
    ),
    "unusable": Meaning(
        "The files of a certificate, or a credential, can't be used.", "See what runner cert check says."
    ),
    "no_tls": Meaning(
        "The mail server offers no STARTTLS, and nothing is sent in clear.",
        "Write security: tls into the credential, or use another server.",
    ),
    "no_login": Meaning("The mail server wants no user.", "Take user and password out of the credential."),
}
