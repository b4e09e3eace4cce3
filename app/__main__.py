"""`python -m app`: one clone's server, told by its environment."""

import os
import sys

from app.main import serve
from goldfleet.contract.environment import Environment
from goldfleet.errors import GoldfleetError

try:
    serve(Environment.from_variables(os.environ))
except GoldfleetError as error:
    sys.exit(str(error))
