"""`python -m local.control`: AWS's place on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from goldfleet.errors import GoldfleetError
from local.control.cloud import MINUTE

EPILOG = """
examples:
  python -m local.control --network 10 --no-data-plane
      A control plane for tests of the program: stores and targets are ready at once.
      It answers on http://127.11.0.1:4566, so for example:
      aws --endpoint-url http://127.11.0.1:4566 ec2 describe-instances

  python -m local.control --network 10 --data-plane --ready-file run/control.json --exit-with-parent
      The one of a local cloud: stores are `creating` and targets `initial` until the data plane
      reports them under /_local/.

beside AWS's calls it answers:
  GET    /_local/changes?after=K&timeout=SECONDS   waits until something changed after version K
  GET    /_local/passwords                         passwords of databases and replication groups
  POST   /_local/stores                            {"rds": {id: status}, "elasticache": {id: status}}
  POST   /_local/impaired                          {"rds": {id: zone}}: where a database lost its machine
  POST   /_local/targets                           {target group ARN: {instance id: {"state", "reason", "status"}}}
  POST   /_local/instances                         {instance id: {"console": text}}
  POST   /_local/metrics                           {"instances": {id: CPU percent}, "requests": [...]}
  POST   /_local/ages                              {instance id: seconds by which it counts as older}
  GET, POST, DELETE /_local/faults                 rules that delay or fail calls
  GET, DELETE       /_local/requests               every AWS call so far, secrets redacted
"""


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 60:
        raise argparse.ArgumentTypeError("seconds, from 0.1 to 60")
    return seconds


def main(arguments: list[str] | None = None) -> int:
    """Runs the control plane; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m local.control",
        description="The local control plane: AWS's API on a loopback address, by moto and what moto lacks.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--network", type=int, required=True, metavar="N", help="the checkout's even number, 10 to 250")
    parser.add_argument(
        "--data-plane",
        action=argparse.BooleanOptionalAction,
        required=True,
        help="whether stores and targets are ready only once a data plane reports them",
    )
    parser.add_argument(
        "--minute",
        type=_seconds,
        default=MINUTE,
        metavar="SECONDS",
        help="how long a minute of CloudWatch lasts (default %(default)s)",
    )
    parser.add_argument("--ready-file", type=Path, metavar="PATH", help="written as soon as calls are answered")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the process that started this ends")
    chosen = parser.parse_args(arguments)
    if chosen.network not in range(10, 252, 2):
        parser.error("--network: an even number from 10 to 250")
    from local.control.server import serve  # noqa: PLC0415  moto takes seconds to import, and --help needs none of it

    try:
        parent = os.getppid() if chosen.exit_with_parent else None
        serve(chosen.network, chosen.data_plane, chosen.minute, chosen.ready_file, parent)
    except GoldfleetError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # taking moto's state apart object by object would only make a stop slow
