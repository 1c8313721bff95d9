"""Officers of a deployment, who show password and device on the command line."""

from contextlib import closing

from argon2 import PasswordHasher
from pyotp.totp import TOTP

from cli.context import Service
from console.access import invitations, officers
from console.access.invitations import InvitationKind
from console.access.login import Admitted, Reception, Visitor
from console.access.passwords import Passwords
from console.access.roles import Role
from tests.cli.deployment import Deployment

_PASSWORD = "bốn con mèo trên mái ngói xanh"
# The library's own cost is the deployment's to pay, not the tests'.
_PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))


def enrolled(deployment: Deployment, name: str, *roles: Role) -> list[str]:
    """Enrol an officer and return what is typed at a prompt, as often as somebody has to."""
    with closing(Service(dict(deployment.environ))) as service:
        now, keyring = service.clock.now(), service.keyring
        token = service.database.write(
            lambda s: invitations.invite(
                s, officers.add(s, name, name.title(), roles, now), InvitationKind.ENROL, keyring,
                now,
            )
        )  # fmt: skip
        reception = Reception(service.database, keyring, _PASSWORDS, service.clock)
        invitation = reception.invitation(token)
        assert invitation is not None
        code = TOTP(reception.seed(invitation)).at(now)
        found = reception.enrol(token, _PASSWORD, code, Visitor("", ""))
    assert isinstance(found, Admitted)
    # A step of the device serves once and lasts 30 seconds: the recovery codes stand in for it.
    return [f"{_PASSWORD}\n{recovery}\n" for recovery in found.recovery_codes]
