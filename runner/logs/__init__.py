"""What is written down of what happens: the log (events, log, sinks), the audit log, and what is kept out of both."""
