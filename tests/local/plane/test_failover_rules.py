"""Control plane's and data plane's rules for a replication group, played against each other by hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from local.control.cloud import NodeReport
from local.control.failover_plan import heir
from local.plane import running as run
from local.plane.decide import Change, Start, Stop, UnitAction, decide
from local.plane.running import Phase, Running, Unit
from local.plane.wanted import StoreNode, Wanted
from tests.local.plane.specs import NODE

NAMES = ("sessions-001", "sessions-002", "sessions-003")


@dataclass
class World:
    """A group as ElastiCache wants it, and its servers; `data` says which of them have what was written at first."""

    primary: str = NAMES[0]
    created: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    units: dict[str, Unit] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    data: set[str] = field(default_factory=lambda: set(NAMES))
    now: float = 0.0

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            nodes=tuple(
                replace(
                    NODE, identifier=name, primary=None if name == self.primary else NODE.address,
                    created=self.created[name],
                )
                for name in NAMES
            )
        )  # fmt: skip

    def unit(self, name: str) -> Unit | None:
        return self.units.get(f"elasticache-{name}")

    def node(self, name: str) -> StoreNode | None:
        """The server as it runs, if it answers."""
        unit = self.unit(name)
        if unit is None or unit.phase is not Phase.RUNNING or name in self.frozen:
            return None
        assert isinstance(unit.spec, StoreNode)
        return unit.spec

    def strike(self, name: str, *, freeze: bool) -> None:
        unit = self.unit(name)
        if unit is None or unit.phase is not Phase.RUNNING:
            return
        if freeze:
            self.frozen.add(name)
        else:
            self.units[unit.spec.name] = run.exited(unit, self.now)

    def ask_elasticache(self, *, test: bool = False) -> None:
        """What the control plane does with servers that have failed, or when failover is tested."""
        failed = {
            name for name in NAMES if (unit := self.unit(name)) and not self.node(name) and self._is_current(unit)
        }
        able = {
            name: NodeReport("available", "replica", self.created[name])
            for name in NAMES
            if name != self.primary and self.serves(name) and name in self.data
        }
        to = heir(able)
        tested = test and all(map(self.serves, NAMES))
        if (self.primary in failed or tested) and to:
            failed.add(self.primary)
            self.primary = to
        for name in failed:
            self.created[name] += 1

    def act(self, actions: tuple[UnitAction, ...]) -> None:
        for action in actions:
            spec = action.spec
            assert isinstance(spec, StoreNode)
            match action:
                case Stop(forget=forget):
                    assert forget
                    del self.units[spec.name]
                    self.frozen.discard(spec.identifier)
                case Start():
                    self.data -= {spec.identifier}
                    self.frozen.discard(spec.identifier)
                    self._runs(spec)
                case Change():
                    self._runs(spec)
            self._check()
        if self.node(self.primary):
            copies = {name for name in NAMES if self.node(name)}
            self.data = self.data | copies if self.primary in self.data else self.data - copies

    def _runs(self, spec: StoreNode) -> None:
        unit = run.begun(spec, self.units.get(spec.name), self.now)
        self.units[spec.name] = run.succeeded(unit, spec, self.now)

    def serves(self, name: str) -> bool:
        unit = self.unit(name)
        return unit is not None and self.node(name) is not None and self._is_current(unit)

    def _is_current(self, unit: Unit) -> bool:
        assert isinstance(unit.spec, StoreNode)
        return unit.spec.created == self.created[unit.spec.identifier]

    def _check(self) -> None:
        alive = [unit.spec for unit in self.units.values() if unit.phase is Phase.RUNNING]
        assert sum(isinstance(spec, StoreNode) and spec.primary is None for spec in alive) <= 1


def decided(world: World) -> tuple[UnitAction, ...]:
    world.now += 100
    return decide(world.wanted, Running(world.units), world.now)  # type: ignore[return-value]


STEPS = st.one_of(
    st.tuples(st.sampled_from(["kill", "freeze"]), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(["act", "act", "look", "test failover"]), st.none()),
)


@given(steps=st.lists(STEPS, max_size=30))
def test_there_are_never_two_primaries_and_data_is_lost_only_when_all_nodes_fail(
    steps: list[tuple[str, str | None]],
) -> None:
    world = World()
    for _ in range(3):
        world.act(decided(world))
    world.data = set(NAMES)
    all_failed = False
    for step, name in steps:
        if name is not None:
            world.strike(name, freeze=step == "freeze")
        elif step == "act":
            world.act(decided(world))
        else:
            world.ask_elasticache(test=step == "test failover")
        all_failed |= not any(world.serves(name) and name in world.data for name in NAMES)
    for _ in range(6):
        world.ask_elasticache()
        world.act(decided(world))
    assert [world.node(name) for name in NAMES] == list(world.wanted.nodes)
    assert all_failed or world.data == set(NAMES)
