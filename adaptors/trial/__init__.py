"""A trial of a country's own jobs: synthetic children for every row of their tables, and what became of each.

`python -m adaptors.trial` is the sandbox with these children to come; `runner rehearse` starts it, lets the jobs run in
the real service, and asks it for the verdict.

Nothing is known here of a country: which values a job reads where, and by which table, is found out from its
operations. What is known is what all countries share: the shape of DTP's messages, and how people refer and decide in
Primero.
"""
