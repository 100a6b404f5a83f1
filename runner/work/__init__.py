"""The worker of the service: what is due, by whom and when it is run, and what becomes of it.

A message's work comes by `units`, a schedule's by `clockwork`, what waits for a far side by `deliveries`. `running`
runs a job for all of them, `verdict` and `windows` tell what its end means, `settlements` writes that into the store.
"""
