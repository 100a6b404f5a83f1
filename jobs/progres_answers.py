"""1a, answers that wait: sends DTP the answers that it could not take when they were due.

Runs whenever something waits in the outbox for proGres, in order per intervention, until all is delivered. An answer
is ids and codes only; the referral itself may long be erased.

Nothing to edit for another country.
"""

from adaptors.common import data_value, deliver
from adaptors.progres import send_feedback

operations = [
    deliver(send_feedback(data_value("$"))),
]
