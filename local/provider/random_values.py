"""The types of pulumi-random that the program uses: made here, kept in the state, known to nobody else."""

from __future__ import annotations

import secrets
import string
from typing import ClassVar

from goldfleet.servicer import UNKNOWN, CheckFailure, Context, Diff, Existing, Provider, Resource, Values, compare

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"


class _Random(Resource):
    """Every change makes a new value; nothing is left behind."""

    takes: ClassVar[frozenset[str]]
    makes: ClassVar[tuple[str, ...]]

    def check(self, new: Values, old: Values, context: Context) -> tuple[Values, list[CheckFailure]]:  # noqa: ARG002
        strange = sorted(set(new) - self.takes)
        return new, [CheckFailure(name, "the local provider random does not know this property") for name in strange]

    def diff(self, old: Existing, new: Values, ignored: object, context: Context) -> Diff:  # noqa: ARG002
        return compare(old.inputs, new, self.takes)

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        if context.preview:
            return "", {**inputs, **dict.fromkeys(self.makes, UNKNOWN)}
        id_, made = self._made(inputs)
        return id_, {**inputs, **made}

    def read(self, old: Existing, context: Context) -> Existing | None:  # noqa: ARG002
        return old

    def delete(self, old: Existing, context: Context) -> None:
        """Nothing to remove."""

    def _made(self, inputs: Values) -> tuple[str, Values]:
        raise NotImplementedError


class RandomPassword(_Random):
    """`result`: a password of `length` characters, at least one of each kind that is asked for."""

    takes = frozenset({"length", "lower", "upper", "numeric", "special", "overrideSpecial", "keepers"})
    makes = ("result", "bcryptHash")
    secrets = frozenset({"result"})

    def _made(self, inputs: Values) -> tuple[str, Values]:
        kinds = {
            "lower": string.ascii_lowercase,
            "upper": string.ascii_uppercase,
            "numeric": string.digits,
            "special": inputs.get("overrideSpecial") or SPECIAL,
        }
        wanted = [letters for kind, letters in kinds.items() if inputs.get(kind, True)]
        one_of_each = [secrets.choice(letters) for letters in wanted]
        rest = [secrets.choice("".join(wanted)) for _ in range(inputs["length"] - len(one_of_each))]
        letters = one_of_each + rest
        secrets.SystemRandom().shuffle(letters)
        return "none", {"result": "".join(letters)}


class RandomId(_Random):
    """`hex` and `dec`: `byteLength` random bytes."""

    takes = frozenset({"byteLength", "keepers", "prefix"})
    makes = ("hex", "dec")

    def _made(self, inputs: Values) -> tuple[str, Values]:
        value = secrets.token_bytes(inputs["byteLength"])
        prefix = inputs.get("prefix", "")
        return value.hex(), {"hex": prefix + value.hex(), "dec": prefix + str(int.from_bytes(value))}


VERSION = "4.21.4"
"""The release of pulumi-random whose types these follow."""

RANDOM = Provider(
    "random",
    VERSION,
    {
        "random:index/randomPassword:RandomPassword": RandomPassword(),
        "random:index/randomId:RandomId": RandomId(),
    },
)
