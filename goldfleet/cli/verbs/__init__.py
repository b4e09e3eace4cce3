"""One file a verb: `EXAMPLES`, `add_arguments(parser)` and `run(options) -> exit code`."""
