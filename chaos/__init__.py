"""`goldfleet chaos`: people use the site, something breaks, and what they saw is held against a promise.

`load` -> people on kept connections, a journal of what was acknowledged; `faults/` -> one file a fault or family;
`runner` -> one fault after the other, each under a load of its own; `line` -> what was seen; `verdicts` and
`outages` -> pure functions; `result` -> what a person and a program are told.
"""
