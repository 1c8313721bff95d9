"""Running services for the tests: one for each kind of database, and others for one test alone."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink
from tests.e2e.people import Person

Deploy = Callable[..., Deployment]
_AT_HAND = 100
_LINKS: dict[str, tuple[str, ...]] = {
    "telco": ("--mo-price", "700"),
    "other": (),
    "strict": (),  # hears what is not signed as it should be
    "flood": (),  # hears that often
    "paced": ("--rate", "1"),
    "unassessed": ("--unassessed",),
}


@pytest.fixture(scope="session")
def make_deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Deploy:
    """Make a deployment of a kind: `init` has run, nothing else."""

    def make(kind: str, **settings: str) -> Deployment:
        home = tmp_path_factory.mktemp(f"e2e-{kind}")
        url = None
        if kind == "postgresql":
            url = request.getfixturevalue("postgres_server").create()
            url = url.render_as_string(hide_password=False)
        deployment = Deployment(home, url, settings)
        deployment.do("init")
        return deployment

    return make


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, make_deployment: Deploy) -> Iterator[Deployment]:
    """A running service that many tests share; a new PIN may be asked for at once."""
    deployment = make_deployment(request.param, PIN_SPACING_SECONDS="0")
    with ExitStack() as stack:
        stack.callback(deployment.close)
        for code, options in _LINKS.items():
            deployment.add_http(code, *options)
        deployment.add_twilio("twilio")
        deployment.import_people(*deployment.people.make_many(_AT_HAND))
        deployment.start()
        yield deployment
        deployment.do("journal", "verify")
        assert deployment.stop() == [0]


@pytest.fixture
def telco(service: Deployment) -> HttpLink:
    """The link of the shared service that its people's messages come in on."""
    return service.http["telco"]


@pytest.fixture(scope="session")
def at_hand(service: Deployment) -> Iterator[Person]:
    """The people of the shared service, one by one."""
    return iter(list(service.people.made))


@pytest.fixture
def person(at_hand: Iterator[Person]) -> Person:
    """A person in the register whom no other test knows."""
    return next(at_hand)


@pytest.fixture
def deploy(make_deployment: Deploy) -> Iterator[Deploy]:
    """Make deployments that end with the test."""
    with ExitStack() as stack:

        def make(kind: str, **settings: str) -> Deployment:
            deployment = make_deployment(kind, **settings)
            stack.callback(deployment.close)
            return deployment

        yield make
