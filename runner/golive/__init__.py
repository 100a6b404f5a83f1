"""Before production: the agencies' checklist, the rehearsal of a restore, and whether what is installed may run."""
