"""The whole service in one thread, in virtual time, from one seed: `make simulate SEEDS=20000`.

    scenario    what a seed draws: children, messages, people, outages, and how much goes wrong
    faults      what goes wrong at the seams: store, vault, network
    world       the service, the sandbox and the people, and what they did
    judge       what must be true in the end: everything settled, nothing kept, ledger and cursors consistent
    inward      what UNHCR posted, and outward what leaves for UNHCR, from exchanges.md alone
    expected    what must stand in Primero and reach DTP, field by field
    sabotage    planted bugs, which the judge must find

`python -m tests.simulation --help` tells how to run seeds, and how to read the story of one.
"""
