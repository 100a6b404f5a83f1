"""The console as people meet it: Chromium before a real service with a month behind it (issue 7, point 7).

    past        a month of a service in virtual time: what was done, and what waits for a person
    place       that service on real sockets, between stand-ins that listen; its accounts
    visitor     somebody's browser, and all that it received
    pages       each page that links lead to, found by following them
    keyboard    going about with keys alone
    axe         what axe-core objects to
    pictures    what pages look like

`make browser` runs them; they are no part of `make test`, since they need a browser.
"""
