"""The inbox: takes messages in, checks, encrypts and keeps them; it never runs a job."""
