"""A running service and a running witness, each in processes of its own."""

import json
from pathlib import Path

from journal.note import Signer
from tests.e2e.conftest import Deploy
from tests.e2e.waiting import until
from tests.journal.witness_processes import ours


def test_a_running_service_is_witnessed(deploy: Deploy, tmp_path: Path) -> None:
    service = deploy("postgresql")
    seed = (service.keys_dir / "log.key").read_bytes()
    log = Signer("tradan/sms.tradan.example", seed).verifier
    with ours(tmp_path, [log]) as witness:
        service.settings["WITNESS_POLICY"] = str(service.home / "policy")
        named = ("--key", str(witness.key), "--url", witness.url)
        service.do("journal", "witness", "add", "archive", *named)
        service.start()

        told = until(
            lambda: json.loads(service.get("/status").body)["journal"]["witnessed_by"], "a quorum"
        )
        ready = json.loads(service.get("/readyz").body)

    assert told == [witness.key.name]
    assert (ready["ready"], ready["warnings"]) == (True, [])
    assert service.stop() == [0]
