"""Running services for the tests: one for each kind of database, and others for one test alone."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.databases import PostgresServer
from tests.e2e.harness import Deployment
from tests.e2e.links import HttpLink
from tests.e2e.people import Person

Deploy = Callable[..., Deployment]
_AT_HAND = 600
_AT_ONCE = {"PIN_SPACING_SECONDS": "0"}
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


@pytest.fixture(scope="package")
def service_on_sqlite(make_deployment: Deploy) -> Iterator[Deployment]:
    """A service on SQLite, kept for the files of this folder."""
    with _started(make_deployment("sqlite", **_AT_ONCE)) as deployment:
        yield deployment


@pytest.fixture(scope="package")
def service_on_postgresql(make_deployment: Deploy) -> Iterator[Deployment]:
    """A service on PostgreSQL, kept likewise."""
    with _started(make_deployment("postgresql", **_AT_ONCE)) as deployment:
        yield deployment


@contextmanager
def _started(deployment: Deployment) -> Iterator[Deployment]:
    with ExitStack() as stack:
        stack.callback(deployment.close)
        for code, options in _LINKS.items():
            deployment.add_http(code, *options)
        deployment.add_twilio("twilio")
        first, *others = deployment.people.make_many(_AT_HAND)
        deployment.import_people(first, *others)
        deployment.people.at_hand = iter(others)
        deployment.start()
        # The first entry of a process comes after one that announces it, which no test counts.
        deployment.http["telco"].ask(first.phone, f"DC {first.personal_id}")
        yield deployment
        deployment.do("journal", "verify")
        assert deployment.stop() == [0]


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest) -> Deployment:
    """A running service that many tests share; a new PIN may be asked for at once."""
    kept: Deployment = request.getfixturevalue(f"service_on_{request.param}")
    return kept


@pytest.fixture
def telco(service: Deployment) -> HttpLink:
    """The link of the shared service that its people's messages come in on."""
    return service.http["telco"]


@pytest.fixture
def at_hand(service: Deployment) -> Iterator[Person]:
    """The people of the shared service, one by one."""
    return service.people.at_hand


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
