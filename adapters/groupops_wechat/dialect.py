"""What a dialect of the protocol adds to the published messages, by field number; the community server ignores it.

The dialect is `@juzi/wechaty-grpc` 1.0.100: it keeps the published numbers and adds to them (protocol sheet 3.11), so
its additions are read from, and written behind, what the published protos say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

QUOTE_OF_MESSAGE = 11
"""`MessagePayloadResponse.quote_id`: the message that is answered."""

SEQ_OF_EVENT = 3
"""`EventResponse.seq`: the place of an event in the account's line; 0 where the server has no such line."""

LAST_SEQ, LAST_ACCOUNT = 1, 2
"""`EventRequest.seq` and `.account_id`: after which event of which account the stream is to go on."""

_VARINT, _BYTES = 0, 2
_MOST = 2**31 - 1


def text_of(message: Message, number: int, longest: int = 256) -> str:
    """Give a text that the published message does not have; empty where it is none."""
    found = _found(message, number, _BYTES)
    try:
        text = bytes(found).decode() if isinstance(found, bytes) else ""
    except UnicodeDecodeError:
        return ""
    return text if len(text) <= longest else ""


def number_of(message: Message, number: int) -> int:
    """Give a whole number that the published message does not have; 0 where it is none, or no `int32`."""
    found = _found(message, number, _VARINT)
    return found if isinstance(found, int) and 0 < found <= _MOST else 0


def resuming(seq: int, account: str) -> bytes:
    """Give what an `EventRequest` says of the last event that was heard; nothing where none had a place."""
    if not seq:
        return b""
    return _key(LAST_SEQ, _VARINT) + _varint(seq) + text_field(LAST_ACCOUNT, account)


def text_field(number: int, text: str) -> bytes:
    """Give a text as a field on the wire; nothing for an empty one."""
    said = text.encode()
    return _key(number, _BYTES) + _varint(len(said)) + said if said else b""


def _found(message: Message, number: int, kind: int) -> object:
    for field in cast("Iterable[Any]", UnknownFieldSet(message)):  # a sequence, which its stubs do not say
        if field.field_number == number and field.wire_type == kind:
            return field.data
    return None


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        said.append(value & 0x7F | 0x80)
        value >>= 7
    said.append(value)
    return bytes(said)
