"""The journal: where it stands, whether it holds, who else vouches for it."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError
from console.guard import Guard
from journal import published, verifications, witnessing
from journal.published import Kept, Published
from journal.verifications import Told
from journal.witnessing import Asked

_CHECKPOINTS = 50
_VERIFICATIONS = 10


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A witness of the policy and how it stood when it was last asked."""

    name: str
    asked: Asked | None


class JournalPage:
    """The journal's page of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        see = Right.SEE_JOURNAL
        guard.page("/journal", "journal", see, self.show)
        guard.page("/journal/verifications", "verifications", see, self.progress)
        guard.page("/journal/checkpoint", "journal_checkpoint", see, self.checkpoint)
        guard.page("/journal/key", "journal_key", see, self.key)
        guard.page("/journal/verify", "verify_journal", Right.VERIFY_JOURNAL, self.verify, "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Show the journal's head, its verifications, its witnesses and its checkpoints."""
        desk, below = self._desk, _below()

        def read(session: Session) -> tuple[Published, list[Told], list[Kept], list[Witnessed]]:
            policy = desk.journal.policy
            witnesses = {} if policy is None else witnessing.standing(session, policy)
            return (
                published.newest(session),
                verifications.recent(session, _VERIFICATIONS),
                published.kept(session, _CHECKPOINTS + 1, below=below),
                [Witnessed(witness.name, asked) for witness, asked in witnesses.items()],
            )

        head, told, kept, witnesses = desk.database.read(read)
        return render_template(
            "console/journal.html",
            login=login,
            head=head,
            told=told,
            newest=self._newest(told),
            kept=kept[:_CHECKPOINTS],
            older=kept[_CHECKPOINTS - 1].head.size if len(kept) > _CHECKPOINTS else None,
            is_first=below is None,
            witnesses=witnesses,
        )

    def progress(self, login: Login) -> ResponseReturnValue:
        """Show the verifications alone: how far one that goes on is."""
        told = self._desk.database.read(
            lambda session: verifications.recent(session, _VERIFICATIONS)
        )
        return render_template(
            "console/verifications.html", login=login, told=told, newest=self._newest(told)
        )

    def verify(self, login: Login) -> ResponseReturnValue:
        """Have the whole journal verified in the background."""
        desk, by, now = self._desk, login.officer.actor, self._desk.clock.now()

        def ask(session: Session) -> None:
            if not verifications.ask(session, by, now):
                raise NotAllowedError(_("Một lần kiểm đang chờ hoặc đang chạy."))

        desk.acts.perform(login.officer, Act(name="verify-journal"), ask)
        return redirect(url_for("console.journal"), HTTPStatus.SEE_OTHER)

    def checkpoint(self, login: Login) -> ResponseReturnValue:  # noqa: ARG002 (the checkpoint is everybody's)
        """Hand the newest checkpoint over, with every cosignature it has."""
        head = self._desk.database.read(published.newest)
        return _file(head.note, f"checkpoint-{head.head.size}.txt")

    def key(self, login: Login) -> ResponseReturnValue:  # noqa: ARG002 (the key is everybody's)
        """Hand over the keys by which anybody verifies the log, the newest last."""
        keys = self._desk.database.read(self._desk.journal.log_keys)
        return _file("".join(f"{key}\n" for key in keys.verifiers), "verifier-keys.txt")

    def _newest(self, told: list[Told]) -> Told | None:
        """Return the verification that waits or goes on, if one does."""
        return next((each for each in told if each.is_open(self._desk.clock.now())), None)


def _below() -> int | None:
    text = request.args.get("below", "")
    is_size = text.isascii() and text.isdecimal() and len(text) < len(str(2**63))
    return int(text) if is_size else None


def _file(text: str, name: str) -> Response:
    response = make_response(text)
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
