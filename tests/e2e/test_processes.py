"""Many processes on one PostgreSQL: any number of webs and workers."""

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.conftest import Deploy
from tests.e2e.links import pin_in
from tests.e2e.people import plain

PEOPLE = 16


def test_webs_and_workers_share_the_work_and_survive_each_other(deploy: Deploy) -> None:
    service = deploy("postgresql")
    telco = service.add_http("telco")
    people = service.people.make_many(PEOPLE)
    service.import_people(*people)
    service.start("--web", ready="/healthz")
    first = service.start("--worker", ready=None)
    service.start("--worker", ready="/readyz")

    with ThreadPoolExecutor(PEOPLE) as pool:
        asked = list(pool.map(lambda who: telco.send(who.phone, f"DC {who.personal_id}"), people))
        first.kill()
        first.wait()
        pins = [pin_in(telco.operator.reply_to(message_id, within=60)) for message_id in asked]
        questions = [(who.phone, f"XN {pin}") for who, pin in zip(people, pins, strict=True)]
        results = list(pool.map(lambda question: telco.ask(*question), questions))

    for who, result in zip(people, results, strict=True):
        assert who.plain_name in plain(result.text)
    assert all(len(telco.operator.copies(message_id)) <= 2 for message_id in asked)
    assert service.stop() == [0, 0]
    assert service.cli("journal", "verify").returncode == 0
