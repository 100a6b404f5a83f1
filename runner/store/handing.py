"""Units that procrastinate hands out: whatever waits as the first of its subject has a job there, and nothing else has.

A trigger sees to it in the transaction that changed the unit, so that a message, what follows from it, and a unit that
a person lets go once more are there together with their jobs, or not at all. A job holds the unit's id, no more.
"""

from importlib import resources

from runner.store.connection import Link

TASK = "run_unit"

# What isn't due within a second is due when it says; the rest at once, since the clocks of hosts differ a little.
# COLLATE "default": that of procrastinate's tables. By another one no index is used, and all that waits is read.
_FUNCTION = f"""
CREATE FUNCTION hand_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  known units%ROWTYPE;
  due timestamptz;
BEGIN
  SELECT * INTO known FROM units WHERE number = NEW.number AND status = 'pending' AND head = 1;
  IF NOT FOUND THEN
    DELETE FROM procrastinate_jobs WHERE queueing_lock = NEW.id COLLATE "default" AND status = 'todo';
    RETURN NULL;
  END IF;
  due := CASE WHEN known.due::timestamptz > now() + interval '1 second' THEN known.due::timestamptz END;
  UPDATE procrastinate_jobs SET scheduled_at = due WHERE queueing_lock = known.id COLLATE "default" AND status = 'todo';
  IF NOT FOUND THEN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
      known.job, '{TASK}', 0, coalesce(known.subject, known.id), known.id, jsonb_build_object('unit', known.id), due
    )::procrastinate_job_to_defer_v1]);
  END IF;
  RETURN NULL;
END $$"""
# Deferred, since within a transaction a unit may be first of its subject for a moment only.
_TRIGGER = """
CREATE CONSTRAINT TRIGGER units_handed_out AFTER INSERT OR UPDATE OF status, head, due ON units
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hand_out()"""


def equip(link: Link) -> None:
    """Within the transaction at hand: make what hands out units, where it isn't there yet."""
    (made,) = link.execute("SELECT to_regclass('procrastinate_jobs') IS NOT NULL").fetchone()
    if not made:
        link.execute((resources.files("procrastinate") / "sql" / "schema.sql").read_text("utf-8"))
        link.execute(_FUNCTION)
        link.execute(_TRIGGER)
