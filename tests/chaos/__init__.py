"""Proofs by force: real processes on real sockets, killed at random instants (issue 3, point 10).

processes   the service, the stand-ins and commands by hand, each with a watchdog
fast        the service in a world whose hours are seconds
sender      somebody who posts as DTP does: until each message is answered
plan        what one seed draws
story       what happened, step by step
people      caseworkers and UNHCR's officers
database    the server that a story over PostgreSQL has, and what happens to it
world       the place of one seed, and how each step is taken
judge       what must be true in the end
kills       `make kills`: many posts while the service is killed again and again
fuzz        `make fuzz`: requests that nobody would write, over a real socket
"""
