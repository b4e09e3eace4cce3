"""A small base for Pulumi providers: the engine's protocol on one side, plain Python values on the other.

A provider is a `Provider` with resources by type token. A resource sees plain dicts: secrets are revealed and
marked again on the way out, whole numbers are ints, and what a preview does not know yet is `UNKNOWN`.

    class Greeting(Resource):
        replace_on = frozenset({"language"})

        def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
            if context.preview:
                return "", {**inputs, "text": UNKNOWN}
            context.progress("writing")
            return inputs["name"], {**inputs, "text": f"Hello {inputs['name']}"}

        def read(self, old: Existing, context: Context) -> Existing | None:
            return old  # None when it is gone

    serve(Provider("greetings", "0.1.0", {"greetings:index:Greeting": Greeting()}))

The engine starts it as `pulumi-resource-greetings`, found through `plugins: {providers: [{name, path}]}` in the
project settings. Whatever a method raises reaches the person as one sentence; raise `PartlyMade` when the thing
exists but is not well. Importing this package takes 0.1 s: it reads the protocol's modules only, not the Pulumi SDK.
"""

from goldfleet.servicer.context import Cancelled, Context, TimedOut
from goldfleet.servicer.failures import PartlyMade
from goldfleet.servicer.resource import CheckFailure, Diff, Existing, Provider, Resource, compare
from goldfleet.servicer.serve import serve
from goldfleet.servicer.values import UNKNOWN, Values, has_unknown

__all__ = [
    "UNKNOWN",
    "Cancelled",
    "CheckFailure",
    "Context",
    "Diff",
    "Existing",
    "PartlyMade",
    "Provider",
    "Resource",
    "TimedOut",
    "Values",
    "compare",
    "has_unknown",
    "serve",
]
