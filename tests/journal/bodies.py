"""Other bodies that witness: real witnesses of ours without a network, which can be away."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.clock import Clock
from journal import witness_state
from journal.errors import UnreachableError
from journal.note import Verifier
from journal.policy import Policy, parse
from journal.witness import Witness
from journal.witness_client import Reply


@dataclass(slots=True)
class Body:
    """One body with a witness of its own."""

    name: str
    key: str
    witness: Witness
    is_away: bool = False
    asked: list[bytes] = field(default_factory=list)
    instead: Reply | None = None

    def answer(self, body: bytes) -> Reply:
        """Answer as over HTTP."""
        if self.is_away:
            raise UnreachableError("away")
        self.asked.append(body)
        if self.instead is not None:
            return self.instead
        said = self.witness.add_checkpoint(body)
        return Reply(said.status, said.content_type, said.body.encode())


@dataclass(slots=True)
class Bodies:
    """The bodies that a policy names, each at an address of its own."""

    bodies: dict[str, Body]
    policy: Policy

    def post(self, url: str, body: bytes) -> Reply:
        """Hand bytes to the body whose address this is."""
        name, _, path = url.removeprefix("https://").partition(".example/")
        assert path == "add-checkpoint"
        return self.bodies[name].answer(body)

    def away(self, *names: str) -> None:
        """Let these be away, and all others not."""
        for name, body in self.bodies.items():
            body.is_away = name in names


def gather(
    folder: Path, log_key: str, clock: Clock, rule: str = "2", names: Iterable[str] = "abc"
) -> Bodies:
    """Make witnesses of one log, and the policy by which so many of them are a quorum."""
    bodies = {}
    for name in names:
        state = witness_state.open_state(folder / name, f"{name}.example/w")
        witness = Witness(state.cosigner, [Verifier.parse(log_key)], state.memory, clock)
        bodies[name] = Body(name, str(state.cosigner.key), witness)
    lines = [f"log {log_key}"]
    lines += [f"witness {name} {body.key} https://{name}.example" for name, body in bodies.items()]
    lines += [f"group bodies {rule} {' '.join(bodies)}", "quorum bodies"]
    return Bodies(bodies, parse("".join(f"{line}\n" for line in lines).encode()))


def reopened(bodies: Bodies, folder: Path, name: str, log_key: str, clock: Clock) -> None:
    """Start one body's witness again, from what lies in its folder."""
    state = witness_state.open_state(folder / name, f"{name}.example/w")
    witness = Witness(state.cosigner, [Verifier.parse(log_key)], state.memory, clock)
    bodies.bodies[name] = replace(bodies.bodies[name], witness=witness)
