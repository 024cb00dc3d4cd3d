"""What an operator sets for WeChat, and what is refused before anything connects."""

from __future__ import annotations

import pytest

from groupops_wechat.config import Account, Config, examined
from groupops_wechat.exception import ConfigFault


def account(**more: object) -> Account:
    return Account.model_validate({"endpoint": "127.0.0.1:8788", "token": "insecure_token", **more})


def faults(*accounts: Account, accepts: bool = True) -> str:
    config = Config(wechaty_accounts=accounts, wechaty_accept_unofficial_risk=accepts)
    with pytest.raises(ConfigFault) as refused:
        examined(config)
    return str(refused.value.args[-1])


def test_a_service_on_this_machine_with_a_token_is_taken() -> None:
    config = Config(wechaty_accounts=(account(tls=False),), wechaty_accept_unofficial_risk=True)

    assert examined(config) is config


def test_the_risk_is_accepted_in_words_or_nothing_starts() -> None:
    said = faults(account(), accepts=False)

    assert "WECHATY_ACCEPT_UNOFFICIAL_RISK" in said
    assert "restricted or banned" in said


def test_without_tls_only_this_machine_is_talked_to() -> None:
    assert "only a service on this machine" in faults(account(endpoint="puppet.example:8788", tls=False))


@pytest.mark.parametrize("endpoint", ["", "8788", "puppet.example", "puppet.example:port"])
def test_an_endpoint_is_a_host_and_a_port(endpoint: str) -> None:
    assert "write host:port" in faults(account(endpoint=endpoint))


def test_a_token_has_a_length_and_is_not_shown() -> None:
    said = faults(account(token="short"))

    assert "fewer than 8 characters" in said
    assert "short" not in said
    assert "insecure_token" not in repr(account())


def test_a_service_is_named_once_and_a_certificate_is_there() -> None:
    said = faults(account(), account(ca_file="nowhere.pem"))

    assert "names 127.0.0.1:8788 twice" in said
    assert "there is no such file" in said
