"""Stand-ins for the outside world that unmodified libraries talk to during a rehearsal."""
