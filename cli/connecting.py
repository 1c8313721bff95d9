"""`operator assess` and `operator steps`: who answers for a channel, and how far it has come."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cli.context import Service, pass_service
from cli.exits import USAGE, UsageFault
from cli.groups import Verb

if TYPE_CHECKING:
    from sms.links.steps import Done, Step

_SAYS = {
    "agreed": "connection agreement signed: short code, prices, duties, contacts on call",
    "consented": "written consent of the authority that keeps the register",
    "secured": "information security of level 3 or above: system and line were inspected",
    "connected": "line: TLS, list of allowed addresses, clocks that agree",
    "keyed": "signing key handed over and live",
    "priced": "price of a message entered",
    "heard": "a message with a good signature came from the operator",
    "answered": "the operator took a reply of ours",
    "rehearsed": "stopping and resuming this link was rehearsed",
    "assessed": "the channel is assessed, and that is in force",
}
_VOUCHED = click.Choice(("agreed", "consented", "secured", "connected"))
_ASSESS = """\
python app.py operator assess viettel --evidence "report 12/2026, level 3" \\
  --responsible "head of operations\""""


@click.command(
    "assess",
    cls=Verb,
    short_help="Vouch for a channel.",
    examples=("python app.py operator assess viettel", _ASSESS),
)
@click.argument("code")
@click.option("--evidence", default="", metavar="TEXT", help="The document it rests on.")
@click.option("--responsible", default="", metavar="NAME", help="Who answers for it  [you].")
@pass_service
def assess_command(service: Service, /, *, code: str, evidence: str, responsible: str) -> None:
    """Vouch for a channel for 365 days from now, with an entry in the journal.

    `operator list`, `/readyz` and an alarm warn 30 and 7 days before it ends; from then on the link
    carries HELP and DOWN only.
    """
    from cli import linking
    from cli.operators import require
    from sms.links.assessments import LONGEST_EVIDENCE, LONGEST_RESPONSIBLE

    evidence = _line("--evidence", evidence, LONGEST_EVIDENCE)
    responsible = _line("--responsible", responsible, LONGEST_RESPONSIBLE)
    until = linking.assess(service, require(service, code), evidence, responsible)
    click.echo(f"{code} is assessed by {service.person} until {until:%Y-%m-%d}")


@click.command(
    "steps",
    cls=Verb,
    short_help="Show the ten steps of connecting an operator.",
    examples=(
        "python app.py operator steps viettel",
        'python app.py operator steps viettel --tick agreed --note "contract 12/2026"',
        "python app.py operator steps viettel --untick agreed",
    ),
)
@click.argument("code")
@click.option("--tick", "ticked", type=_VOUCHED, help="Vouch for this step.")
@click.option("--note", default="", metavar="TEXT", help="Where the proof of it is kept.")
@click.option("--untick", "unticked", type=_VOUCHED, help="Take back that it is done.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_service
def steps_command(
    service: Service, /, *, code: str, ticked: str | None, note: str, unticked: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show which of the ten steps of connecting an operator are done.

    Facts show six of them. Somebody vouches for the other four, with an entry in the journal.
    """
    from cli import linking
    from cli.operators import require
    from sms.links import steps
    from sms.links.steps import Step

    link, note = require(service, code), _line("--note", note, steps.LONGEST_NOTE)
    if ticked and unticked:
        raise UsageFault("--tick and --untick are two acts: give one of them", USAGE)
    if bool(ticked) != bool(note):
        raise UsageFault("--tick needs --note, which says where the proof is kept", USAGE)
    if ticked is not None:
        linking.tick(service, link, Step(ticked), note)
    if unticked is not None:
        linking.untick(service, link, Step(unticked))
    now = service.clock.now()
    found = service.database.read(lambda session: steps.of(session, link, now))
    if as_json:
        click.echo(json.dumps([_row(step, done) for step, done in found.items()]))
    else:
        _print(found)


def _print(found: "Mapping[Step, Done | None]") -> None:
    for number, (step, done) in enumerate(found.items(), start=1):
        click.echo(f"{number:>2}  {'done' if done else 'open'}  {step:<9}  {_SAYS[step]}")
        told = (_day(done), done.by, done.note) if done else ()
        if any(told):
            click.echo(f"{'':>21}{' · '.join(word for word in told if word)}")
    click.echo(f"{sum(done is not None for done in found.values())} of {len(found)} are done")


def _day(done: "Done") -> str:
    return f"{done.at:%Y-%m-%d}" if done.at else ""


def _row(step: "Step", done: "Done | None") -> dict[str, object]:
    return {
        "step": step,
        "says": _SAYS[step],
        "done": done is not None,
        "at": done.at.isoformat(timespec="seconds") if done and done.at else None,
        "by": done.by if done else None,
        "note": done.note if done else "",
    }


def _line(option: str, text: str, longest: int) -> str:
    if len(text) > longest or not text.isprintable():
        raise UsageFault(f"{option} is one line of up to {longest} characters", USAGE)
    return text.strip()
