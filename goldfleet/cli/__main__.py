"""`goldfleet VERB`: finds the verb's module, runs it, and turns every error into its three parts."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence

from goldfleet.errors import GoldfleetError, SettingsError

OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""What a verb makes it mostly keeps: looking for garbage as often as Python does costs a second of every `up`."""

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

VERBS: Mapping[str, str] = {
    "up": "make the stack what its settings say, and print the URL",
    "scale": "change the number of clones",
    "deploy": "release the app of this checkout, clone by clone",
    "rollback": "go back to the release before, clone by clone",
    "promote": "let a read replica take the place of a lost main",
    "status": "show clones, stores, and the setting against what runs",
    "logs": "show the clones' log lines",
    "doctor": "check that everything is here that the stack needs",
    "down": "stop the local cloud and leave nothing but caches",
    "image": "bake, boot and clear up golden images",
    "chaos": "break the local fleet under load, and show which promises held",
    "run": "run one reloading process of the app on the local stores",
}

EXIT_CODES = "exit codes: 0 done, 1 failed, 2 wrong usage or wrong setting, 130 interrupted"
EPILOG = f"""\
examples:
  goldfleet up                 the whole system on this machine
  goldfleet scale 4            four clones
  goldfleet deploy             what is in app/ now, on every clone
  goldfleet up -s dev          the same program on AWS

{EXIT_CODES}
"""


def main(arguments: Sequence[str]) -> int:
    """Runs one verb and returns the exit code."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    options = _parser(verb if verb in VERBS else None).parse_args(arguments)
    try:
        code: int = options.run(options)
    except GoldfleetError as error:
        for problem in getattr(error, "problems", (error,)):
            print(f"error: {problem.where}: {problem.what}\n  -> {problem.way_out}", file=sys.stderr)
        return WRONG_USAGE if isinstance(error, SettingsError) else FAILED
    except _aws_errors() as error:
        print(f"error: AWS: {error}\n  -> `goldfleet doctor -s {options.stack}` finds out more", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\ninterrupted; `goldfleet up` goes on from here", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it exits
        return OK
    return code


def _aws_errors() -> tuple[type[Exception], ...]:
    """What the AWS SDK raises; asked for, and so loaded, only when something was raised."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    return BotoCoreError, ClientError


def _parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser; only the module of `verb` is imported, so that every verb starts fast."""
    parser = argparse.ArgumentParser(
        prog="goldfleet",
        description="A fleet of identical servers from one golden image, on AWS or on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, summary in VERBS.items():
        sub = verbs.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == verb:
            module = importlib.import_module(f"goldfleet.cli.verbs.{name}")
            sub.description = f"{summary[0].upper()}{summary[1:]}."
            sub.epilog = f"examples:\n{module.EXAMPLES}\n{EXIT_CODES}"
            sub.add_argument("-s", "--stack", default="local", help="name of the stack (default: local)")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    # Compiling the AWS SDK's modules anew takes seconds of every run, in this process and in the plugins.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main(sys.argv[1:]))
