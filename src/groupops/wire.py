"""Facts, actions and receipts as JSON and back: for queues, files, the store and other processes.

Moments keep their offset, spans are ISO 8601, bytes are base64; `kind` tells one dataclass from another.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from groupops.actions import Action, Errand, Receipt
from groupops.errors import GroupOpsError
from groupops.events import Event

# What `dumps` and `loads` take for a union: pydantic then goes by `kind` instead of trying one after the other.
EVENT: Final[Any] = Annotated[Event, Field(discriminator="kind")]
ACTION: Final[Any] = Annotated[Action, Field(discriminator="kind")]
ERRAND: Final[Any] = Annotated[Errand, Field(discriminator="kind")]
RECEIPT: Final[Any] = Annotated[Receipt, Field(discriminator="kind")]

_SHOWN = 200
"""How many characters of a text that cannot be read are quoted in the error."""


class WireError(GroupOpsError, ValueError):
    """A text is not the JSON of what was expected; it names what was expected and the first fault."""


def event_to_json(event: Event) -> str:
    """Write a fact as JSON."""
    return dumps(EVENT, event)


def event_from_json(text: str | bytes) -> Event:
    """Read a fact.

    Raises:
        WireError: it is no fact, or its moment has no timezone.
    """
    event: Event = loads(EVENT, text)
    if event.at.tzinfo is None:
        raise WireError(f"the fact {event.id!r} has the moment {event.at} without a timezone; add its offset")
    return event


def action_to_json(action: Action) -> str:
    """Write an action as JSON."""
    return dumps(ACTION, action)


def action_from_json(text: str | bytes) -> Action:
    """Read an action. Raises WireError."""
    action: Action = loads(ACTION, text)
    return action


def errand_to_json(errand: Errand) -> str:
    """Write an errand for the core as JSON."""
    return dumps(ERRAND, errand)


def errand_from_json(text: str | bytes) -> Errand:
    """Read an errand for the core. Raises WireError."""
    errand: Errand = loads(ERRAND, text)
    return errand


def receipt_to_json(receipt: Receipt) -> str:
    """Write a receipt as JSON."""
    return dumps(RECEIPT, receipt)


def receipt_from_json(text: str | bytes) -> Receipt:
    """Read a receipt. Raises WireError."""
    receipt: Receipt = loads(RECEIPT, text)
    return receipt


def dumps(of: Any, value: object) -> str:
    """Write a value of the type `of` as JSON; half a surrogate pair, which no UTF-8 can hold, becomes `?`."""
    try:
        # As `dump_json`, which passes on twenty choices.
        return adapter(of).serializer.to_json(value).decode()
    except PydanticSerializationError:
        plain = json.dumps(adapter(of).dump_python(value, mode="json"), ensure_ascii=False)
        return plain.encode("utf-8", "replace").decode()


def loads(of: Any, text: str | bytes) -> Any:
    """Read a value of the type `of`.

    Raises:
        WireError: the text is not JSON, or not of that type.
    """
    try:
        return adapter(of).validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the whole"
        shown = text[:_SHOWN]
        raise WireError(f"cannot read {shown!r}: {where}: {fault['msg']}") from error


def adapter(of: Any) -> TypeAdapter[Any]:
    """Give pydantic's reader and writer of a type, built once."""
    known = _BUILT.get(id(of))
    return known[1] if known is not None and known[0] is of else _build(of)


_BUILT: Final[dict[int, tuple[Any, TypeAdapter[Any]]]] = {}
"""By identity: an annotated union takes longer to be told from another one than a short value to be written."""


def _build(of: Any) -> TypeAdapter[Any]:
    built = _equal(of)
    _BUILT[id(of)] = (of, built)
    return built


@cache
def _equal(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of, config=_config(of))


def _config(of: Any) -> ConfigDict | None:
    """Bytes as base64; a dataclass by itself may not be given a configuration, and none of ours holds bytes alone."""
    if isinstance(of, type) and hasattr(of, "__dataclass_fields__"):
        return None
    return ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
