"""WeCom's cipher is read and written as others do, and nothing that was damaged on the way passes."""

from __future__ import annotations

import base64
from contextlib import suppress
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupops_wecom.crypto import BLOCK, Cipher, CryptoError, closed, key_of, opened

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
RANDOM = b"0123456789abcdef"
CORP = "ww1234567890abcdef"

KNOWN = {
    "": (
        '{"msgid":"M1"}',
        "Q3stYC6hdFzMh9T8HCvyDA49zqMBjKHMaUfpamX/gjb9wABt32faWYjUHvacdU76n17cEz8DuEdgJufaxBy1tg==",
        "c99b2aceaaaf0b5e92e073a264f06f2cccc26eac",
    ),
    CORP: (
        "<xml><Content>你好</Content></xml>",
        "Q3stYC6hdFzMh9T8HCvyDMqYq+3LWRBafgYE/6+E3kaIPVItdlEZTk22y1bcb56Fcwy2Z6RlJGD8HhdY6iSEJqSNYtTO54ijEM6t8XRQ8XMGhniac3QUx2b/x7pIZFzP",
        "fb4eddd666da98d0b971d759b0a1ab44bae9a1e1",
    ),
}
"""Receiver → message, encrypted, signed: made and read by the vendor's own library."""


@pytest.mark.parametrize("receiver", sorted(KNOWN))
def test_what_the_vendor_encrypted_is_read_and_written_the_same(receiver: str) -> None:
    message, encrypted, signature = KNOWN[receiver]
    cipher = Cipher("tok", KEY, receiver)

    assert cipher.decrypt(encrypted).decode() == message
    assert cipher.encrypt(message.encode(), RANDOM) == encrypted
    assert cipher.sign("1700000000", "n0nce", encrypted) == signature
    assert cipher.signed(signature, "1700000000", "n0nce", encrypted)


@given(message=st.binary(max_size=3000), receiver=st.text(max_size=40))
def test_what_is_encrypted_is_read_again(message: bytes, receiver: str) -> None:
    cipher = Cipher("t", KEY, receiver)

    assert cipher.decrypt(cipher.encrypt(message)) == message


@given(st.lists(st.binary(max_size=100), max_size=8), st.lists(st.binary(max_size=100), max_size=8))
def test_what_came_before_changes_nothing_of_what_is_read(
    messages: list[bytes], rubbish: list[bytes]
) -> None:
    cipher = Cipher("t", KEY, CORP)

    for message, between in zip_longest(messages, rubbish, fillvalue=b""):
        with suppress(CryptoError):
            cipher.decrypt(base64.b64encode(between).decode())
        assert cipher.decrypt(cipher.encrypt(message)) == message


@given(message=st.binary(max_size=100))
def test_what_is_encrypted_is_padded_to_32_bytes(message: bytes) -> None:
    assert len(base64.b64decode(Cipher("t", KEY, "").encrypt(message))) % BLOCK == 0


def test_what_is_meant_for_another_company_is_refused() -> None:
    encrypted = Cipher("t", KEY, "wwOTHER").encrypt(b"<xml/>")

    with pytest.raises(CryptoError, match="another receiver") as refused:
        Cipher("t", KEY, CORP).decrypt(encrypted)

    assert refused.value.code == -40005


@given(st.data())
def test_a_changed_byte_is_seen_by_the_signature(data: st.DataObject) -> None:
    cipher = Cipher("t", KEY, CORP)
    encrypted = cipher.encrypt(b"<xml><a>1</a></xml>")
    signature = cipher.sign("1700000000", "n", encrypted)
    place = data.draw(st.integers(0, len(encrypted) - 1))
    other = "A" if encrypted[place] != "A" else "B"
    changed = encrypted[:place] + other + encrypted[place + 1 :]

    assert not cipher.signed(signature, "1700000000", "n", changed)


@given(
    st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode()))
)
def test_rubbish_is_refused_and_breaks_nothing(rubbish: str) -> None:
    with pytest.raises(CryptoError):
        Cipher("t", KEY, CORP).decrypt(rubbish)


@given(st.text(max_size=60))
def test_a_signature_that_is_none_does_not_hold(signature: str) -> None:
    assert not Cipher("t", KEY, "").signed(signature, "1700000000", "n", "x")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_anything_at_all_can_be_signed(timestamp: str, nonce: str, encrypted: str) -> None:
    assert len(Cipher("t", KEY, "").sign(timestamp, nonce, encrypted)) == 40


@pytest.mark.parametrize("key", ["", "short", KEY + "A", "中" * 43, "*" * 43])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(CryptoError) as refused:
        Cipher("t", key, "")

    assert refused.value.code == -40004


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_with_or_without_its_padding(key: bytes) -> None:
    written = base64.b64encode(key).decode()

    assert key_of(written) == key_of(written.rstrip("=")) == key


def test_spare_bits_of_a_key_are_passed_over() -> None:
    assert key_of("A" * 42 + "B") == key_of("A" * 43)


@given(data=st.binary(max_size=2000), key=st.binary(min_size=32, max_size=32))
def test_a_file_is_opened_with_its_own_key(data: bytes, key: bytes) -> None:
    written = base64.b64encode(key).decode()

    assert opened(closed(data, written), written) == data


@given(st.binary(max_size=200))
def test_a_damaged_file_is_refused_or_has_some_other_content(damaged: bytes) -> None:
    try:
        found = opened(damaged, KEY)
    except CryptoError:
        return
    assert len(found) < len(damaged)


def test_neither_token_nor_key_is_shown() -> None:
    assert "tok" not in repr(Cipher("tok", KEY, "")).replace("groupops_wecom.crypto", "")
    assert KEY not in repr(Cipher("tok", KEY, ""))
