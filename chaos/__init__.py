"""`goldfleet chaos`: people use the site, something breaks, and what they saw is held against a promise.

`load` -> people on kept connections, a journal of what was acknowledged; `faults/` -> one file a fault or family;
`line` -> one fault under load; `verdicts` -> pure functions; `table` -> what a person and a program are told.
"""
