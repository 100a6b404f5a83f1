"""Certificates: which are in use, how long they hold, and how a new one takes its place."""
