"""The access file of one citizen: who looked at the record, when, as what, and why.

The citizen is found by the whole personal number or the whole telephone number alone, which come
by a form and stand in no address. Whether there is such a citizen the page does not tell.
"""

from dataclasses import dataclass, field
from itertools import islice

import segno
from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console import grounds
from console.access import meter
from console.access.roles import Right
from console.access.sessions import Login
from console.acts import Act
from console.desk import Desk
from console.errors import NotAllowedError
from console.grounds import Grounds
from console.guard import Guard
from core import phone
from core.errors import UnavailableError
from core.keyring import row_id
from core.phone import Msisdn
from journal import accesses
from journal.entries import Entry
from journal.journal import Head
from records import personal_id
from records.embedded import EmbeddedRegister
from records.errors import RegisterFaultError
from records.personal_id import PersonalId
from sms import extract
from sms.extract import Extract

_LOOKED_AT = 2000
_SHOWN_DIGITS = 3
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom somebody asks about: by one of both, as it was typed."""

    person: PersonalId | None = field(repr=False)
    number: Msisdn | None = field(repr=False)

    @property
    def masked(self) -> str:
        """What of it is shown."""
        if self.person is not None:
            return extract.masked(self.person)
        return "\N{BULLET}" * 3 + f" {(self.number or '')[-_SHOWN_DIGITS:]}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an access file says; not *is_whole* if there are older entries than were looked at."""

    found: Extract = field(repr=False)
    is_whole: bool
    head: Head
    index: int | None


class AccessFile:
    """The access files of one console."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self._desk = desk
        self._register = EmbeddedRegister(desk.database, desk.keyring)
        right = Right.OPEN_ACCESS_FILE
        guard.page("/access-file", "access_file", right, self.show, "GET", "POST")

    def show(self, login: Login) -> ResponseReturnValue:
        """Ask for whom and why, or, once asked, open the file."""
        if request.method == "GET":
            return self._form(login)
        asked, given = _asked(), grounds.of_form(request.form)
        is_internal = _is_internal(login)
        self._desk.meter.spend(login.officer, meter.SEARCHES)
        owners = self._owners(asked)
        chosen = _chosen(owners)
        if len(owners) > 1 and chosen is None:
            return self._choice(login, asked, given, owners)
        self._desk.meter.spend(login.officer, meter.FILES)
        return self._opened(login, asked, given, chosen, is_internal=is_internal)

    def _form(self, login: Login) -> str:
        return render_template(
            "console/access_file.html",
            login=login,
            sees_embargoed=Right.SEE_EMBARGOED in login.officer.rights,
        )

    def _choice(
        self, login: Login, asked: Asked, given: Grounds, owners: list[PersonalId]
    ) -> ResponseReturnValue:
        """Let somebody say which of those who share a number is meant, by their last digits."""
        said = {**given.said(), "shared_by": len(owners)}
        self._desk.acts.record(login.officer, Act(name="access-choice", said=said))
        return render_template(
            "console/access_choice.html",
            login=login,
            asked=asked,
            given=given,
            copy=request.form.get("copy", ""),
            owners=[extract.masked(owner) for owner in owners],
        )

    def _opened(
        self,
        login: Login,
        asked: Asked,
        given: Grounds,
        person: PersonalId | None,
        *,
        is_internal: bool,
    ) -> ResponseReturnValue:
        said = {**given.said(), "copy": "internal" if is_internal else "citizen"}
        act = Act(name="access-file", said=said, subject=person)
        entry = self._desk.acts.record(login.officer, act)
        sheet = self._read(person, entry, with_embargoed=is_internal)
        code = segno.make_qr(f"KT {entry.receipt}")
        return render_template(
            "console/access_sheet.html",
            login=login,
            asked=asked,
            given=given,
            is_internal=is_internal,
            sheet=sheet,
            entry=entry,
            origin=self._desk.journal.origin,
            short_code=self._desk.settings.short_code,
            picture=code.svg_inline(scale=3, border=2, svgclass="qr", lineclass="qr-line"),
        )

    def _read(self, person: PersonalId | None, entry: Entry, *, with_embargoed: bool) -> Sheet:
        desk, now = self._desk, self._desk.clock.now()
        tags = () if person is None else desk.keyring.indexes("personal_id", person)
        subjects = [row_id(tag) for tag in tags]

        def read(session: Session) -> Sheet:
            every = accesses.every(
                session, desk.keyring, subjects, now, with_embargoed=with_embargoed
            )
            found = extract.of(islice(every, _LOOKED_AT))
            is_whole = next(every, None) is None
            index = desk.journal.index_of(session, entry.id)
            return Sheet(found, is_whole, desk.journal.head(session), index)

        return desk.database.read(read)

    def _owners(self, asked: Asked) -> list[PersonalId]:
        if asked.person is not None:
            return [asked.person]
        number = asked.number
        if number is None:
            return []
        try:
            return self._desk.database.read(lambda s: self._register.owners(s, number))
        except RegisterFaultError as error:
            raise UnavailableError("the register does not answer") from error


def _asked() -> Asked:
    """Read whom the form asks about.

    Raises: NotAllowedError for what is neither number whole.
    """
    typed = request.form.get("who", "").strip()[:_LONGEST]
    person = personal_id.parse(typed.replace(" ", ""))
    number = phone.parse(typed) if person is None else None
    if person is None and number is None:
        raise NotAllowedError(_("Hãy ghi đủ 12 số định danh, hoặc đủ số điện thoại di động."))
    return Asked(person, number)


def _is_internal(login: Login) -> bool:
    """Tell whether what is under embargo is asked for.

    Raises: NotAllowedError if this officer may not see it.
    """
    is_internal = request.form.get("copy") == "internal"
    if is_internal and Right.SEE_EMBARGOED not in login.officer.rights:
        raise NotAllowedError(_("Vai trò của bạn không mở bản nghiệp vụ."))
    return is_internal


def _chosen(owners: list[PersonalId]) -> PersonalId | None:
    """Return the one there is, or the one whose place in the list was chosen."""
    if len(owners) == 1:
        return owners[0]
    place = request.form.get("which", "")
    places = [str(each) for each in range(len(owners))]
    return owners[places.index(place)] if place in places else None
