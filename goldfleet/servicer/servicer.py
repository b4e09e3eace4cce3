"""The engine's calls, turned into calls of resources. One thread per call, as many as the server's pool has."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import protocol
from goldfleet.servicer.context import Context
from goldfleet.servicer.engine import Engine
from goldfleet.servicer.failures import PartlyMade, sentence
from goldfleet.servicer.resource import Diff, Existing, Provider, Resource
from goldfleet.servicer.values import decode, encode

pb = protocol.provider


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the protocol that answers every failure with one sentence."""

    def call(servicer: Servicer, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(servicer, request)
        except PartlyMade as error:
            inputs = request.properties if isinstance(request, pb.CreateRequest) else request.news
            context.set_trailing_metadata(servicer.init_failed(error, inputs))
            context.abort(grpc.StatusCode.UNKNOWN, sentence(error))
        except Exception as error:  # noqa: BLE001  whatever it is, the person gets a sentence and the log the rest
            servicer.engine.debug(getattr(request, "urn", ""), traceback.format_exc())
            context.abort(grpc.StatusCode.UNKNOWN, sentence(error))

    return call


class Servicer(protocol.provider_grpc.ResourceProviderServicer):  # type: ignore[misc]  # generated without types
    """Serves one `Provider`."""

    def __init__(self, provider: Provider, engine: Engine) -> None:
        self.provider = provider
        self.engine = engine
        self.cancel = threading.Event()

    @answering
    def GetPluginInfo(self, request: Any) -> Any:  # noqa: ARG002, N802  the protocol's names, here and below
        return protocol.plugin.PluginInfo(version=self.provider.version)

    @answering
    def Handshake(self, request: Any) -> Any:  # noqa: N802
        self.engine.connect(request.engine_address)
        return pb.ProviderHandshakeResponse(accept_secrets=True)

    @answering
    def Attach(self, request: Any) -> Any:  # noqa: N802
        self.engine.connect(request.address)
        return Empty()

    @answering
    def CheckConfig(self, request: Any) -> Any:  # noqa: N802
        return pb.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(self, request: Any) -> Any:  # noqa: N802
        old, new = decode(request.old_inputs).values, decode(request.news).values
        return _diff_response(Diff(tuple(name for name in {*old, *new} if old.get(name) != new.get(name))))

    @answering
    def Configure(self, request: Any) -> Any:  # noqa: N802
        self.provider.configure({name: _config(value) for name, value in decode(request.args).values.items()})
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @answering
    def Check(self, request: Any) -> Any:  # noqa: N802
        new, old = decode(request.news), decode(request.olds)
        resource = self._resource(request)
        inputs, failures = resource.check(new.values, old.values, self._context(request, seed=request.randomSeed))
        return pb.CheckResponse(
            inputs=encode(inputs, new.secrets | resource.secrets),
            failures=[pb.CheckFailure(property=failure.property, reason=failure.reason) for failure in failures],
        )

    @answering
    def Diff(self, request: Any) -> Any:  # noqa: N802
        diff = self._resource(request).diff(
            _existing(request.id, request.old_inputs, request.olds),
            decode(request.news).values,
            tuple(request.ignoreChanges),
            self._context(request),
        )
        return _diff_response(diff)

    @answering
    def Create(self, request: Any) -> Any:  # noqa: N802
        resource, inputs = self._resource(request), decode(request.properties)
        id_, state = resource.create(inputs.values, self._context(request, preview=request.preview))
        return pb.CreateResponse(id=id_, properties=encode(state, inputs.secrets | resource.secrets))

    @answering
    def Read(self, request: Any) -> Any:  # noqa: N802
        resource = self._resource(request)
        found = resource.read(_existing(request.id, request.inputs, request.properties), self._context(request))
        if found is None:
            return pb.ReadResponse()
        secrets = decode(request.inputs).secrets | decode(request.properties).secrets | resource.secrets
        return pb.ReadResponse(
            id=found.id, inputs=encode(found.inputs, secrets), properties=encode(found.state, secrets)
        )

    @answering
    def Update(self, request: Any) -> Any:  # noqa: N802
        resource, new = self._resource(request), decode(request.news)
        old = _existing(request.id, request.old_inputs, request.olds)
        state = resource.update(old, new.values, self._context(request, preview=request.preview))
        return pb.UpdateResponse(properties=encode(state, new.secrets | resource.secrets))

    @answering
    def Delete(self, request: Any) -> Any:  # noqa: N802
        old = _existing(request.id, request.old_inputs, request.properties)
        self._resource(request).delete(old, self._context(request))
        return Empty()

    @answering
    def Invoke(self, request: Any) -> Any:  # noqa: N802
        function = self.provider.functions.get(request.tok)
        if function is None:
            raise self._unknown(request.tok)
        args = decode(request.args)
        result = function(args.values)
        return pb.InvokeResponse(**{"return": encode(result, set(result) if args.secrets else ())})

    @answering
    def GetMapping(self, request: Any) -> Any:  # noqa: ARG002, N802
        return pb.GetMappingResponse()

    @answering
    def Cancel(self, request: Any) -> Any:  # noqa: ARG002, N802
        self.cancel.set()
        return Empty()

    def init_failed(self, error: PartlyMade, inputs: Any) -> tuple[tuple[str, bytes], ...]:
        """Trailing metadata that tells the engine to keep a resource that is not well."""
        decoded = decode(inputs)
        detail = AnyMessage()
        detail.Pack(
            pb.ErrorResourceInitFailed(
                id=error.id,
                properties=encode(error.state, decoded.secrets),
                inputs=encode(decoded.values, decoded.secrets),
                reasons=[str(error)],
            )
        )
        status = protocol.status.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail])
        return (("grpc-status-details-bin", status.SerializeToString()),)

    def _resource(self, request: Any) -> Resource:
        token = request.type or _type_of(request.urn)
        if token not in self.provider.resources:
            raise self._unknown(token)
        return self.provider.resources[token]

    def _unknown(self, token: str) -> GoldfleetError:
        return GoldfleetError(token, f"the provider {self.provider.name} does not know it", "add a row, or use another")

    def _context(self, request: Any, *, preview: bool = False, seed: bytes = b"") -> Context:
        return Context(
            urn=request.urn,
            name=request.name or request.urn.rpartition("::")[2],
            preview=preview,
            timeout=getattr(request, "timeout", 0) or None,
            progress=lambda text: self.engine.progress(request.urn, text),
            tell=lambda text: self.engine.tell(request.urn, text),
            cancel=self.cancel,
            seed=seed,
        )


def _existing(id_: str, inputs: Any, state: Any) -> Existing:
    return Existing(id_, decode(inputs).values, decode(state).values)


def _type_of(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _diff_response(diff: Diff) -> Any:
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if diff.changes else pb.DiffResponse.DIFF_NONE,
        diffs=diff.changes,
        replaces=diff.replaces,
        deleteBeforeReplace=diff.delete_before_replace,
    )


def _config(value: Any) -> Any:
    """A provider's own input: the SDK sends all but strings as JSON text."""
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        return json.loads(value)
    return value
