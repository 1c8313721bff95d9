from pathlib import Path

from journal.note import Verifier
from tests.cli.deployment import Deployment


def log_files(deployment: Deployment) -> set[str]:
    return {path.name for path in Path(deployment.environ["TRADAN_KEYS_DIR"]).glob("log*")}


def test_the_log_key_is_changed_by_hand_from_first_to_last(deployment: Deployment) -> None:
    deployment.add_http("viettel")
    (first,) = deployment.read("journal", "key", "list")["keys"]

    prepared = deployment.do("journal", "key", "prepare").strip()
    again = deployment.do("journal", "key", "prepare").strip()
    announced = deployment.do("journal", "key", "rotate", "--overlap", "90", "--yes").strip()

    assert prepared == again == announced != first["key"]
    listed = deployment.read("journal", "key", "list")
    assert [key["key"] for key in listed["keys"]] == [first["key"], announced]
    assert all(key["here"] for key in listed["keys"])
    assert listed["until"].endswith("UTC")
    assert Verifier.parse(announced).name == "tradan/gateway.example"
    assert log_files(deployment) == {"log.key", "log-2.key"}
    deployment.do("operator", "disable", "viettel")
    assert deployment.do("journal", "head").count("— tradan/gateway.example ") == 2
    for verb in ("prepare", "rotate"):
        assert "retire the older" in deployment.refused("journal", "key", verb, code=5)
    assert log_files(deployment) == {"log.key", "log-2.key"}

    why = ("--reason", "log.key was copied", "--yes")
    assert "--now" in deployment.refused("journal", "key", "retire", *why, code=5)
    told = deployment.do("journal", "key", "retire", "--now", *why)

    assert told.startswith("destroyed: ")
    assert told.strip().endswith("log.key")
    assert log_files(deployment) == {"log-2.key"}
    deployment.do("operator", "disable", "viettel", "--undo")
    assert deployment.do("journal", "head").count("— tradan/gateway.example ") == 1
    assert deployment.read("journal", "verify")["findings"] == []
    assert "newest" in deployment.refused("journal", "key", "retire", *why, code=5)


def test_no_key_is_announced_unless_every_machine_is_said_to_hold_it(embedded: Deployment) -> None:
    done = embedded.run("journal", "key", "rotate", typed="n\n")

    assert done.exit_code != 0
    assert len(embedded.read("journal", "key", "list")["keys"]) == 1


def test_a_reason_is_one_line(embedded: Deployment) -> None:
    embedded.do("journal", "key", "rotate", "--yes")

    odd = embedded.refused("journal", "key", "retire", "--reason", "a\nb", "--now", "--yes")

    assert "printable" in odd
