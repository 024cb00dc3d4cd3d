"""One puppet service: its calls with their deadlines, its one stream of events, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, cast

import grpc
from google.protobuf import descriptor, message_factory
from google.protobuf.message import Message as Wired
from grpc import aio

from groupops_wechat.config import Account, Config
from groupops_wechat.dialect import SEQ_OF_EVENT, number_of, resuming
from groupops_wechat.exception import ActionFailed, ApiNotAvailable, InDoubt, NetworkError, Refused, Taken
from groupops_wechat.wire import puppet_pb2

CHUNK = 512 * 1024
"""Bytes of one piece of a file: the published server receives at most 4 MiB at once (protocol sheet 3.2)."""

SERVICE = "/wechaty.Puppet/"

_METHODS = puppet_pb2.DESCRIPTOR.services_by_name["Puppet"].methods_by_name
_UNSUPPORTED = "Unsupported API Error"
_FILES = frozenset({"MessageSendFile", "MessageFile", "MessageImage", "Upload", "Download"})
_READING = re.compile(
    r"(Version|Ding|DirtyPayload|\w+Payload|\w+List|MessageFile|MessageImage|MessageLocation|MessageUrl|MessageContact"
    r"|Start|RoomQRCode)"
)
_PARTS = re.compile(r"(?:^|_)([a-z0-9]+)")
_ACRONYMS = {"qr": "QR", "qrcode": "QRCode"}


def rpc_of(api: str) -> str:
    """Give the call an API name stands for: `room_del` and `RoomDel` alike.

    Raises:
        ApiNotAvailable: the protocol has no such call.
    """
    if api in _METHODS:
        return api
    found = _PARTS.sub(lambda part: _ACRONYMS.get(part[1], part[1].capitalize()), api)
    if found not in _METHODS:
        raise ApiNotAvailable(api)
    return found


class Answer(Protocol):
    """An answer: the fields that the protocol sheet names."""

    def __getattr__(self, name: str) -> Any: ...


class Client:
    """The calls of one service.

    Args:
        account: where it is and how one gets in.
        config: deadlines.
    """

    def __init__(self, account: Account, config: Config) -> None:
        self._account = account
        self._config = config
        self._channel: aio.Channel | None = None
        self._metadata = (("authorization", f"Wechaty {account.token.get_secret_value()}"),)

    async def open(self) -> None:
        """Make the channel; nothing is connected before the first call."""
        if self._channel is None:
            self._channel = _channel(self._account)

    async def close(self) -> None:
        """Take the channel down."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def call(self, rpc: str, **fields: Any) -> Answer:
        """Make a call and wait for its answer.

        Args:
            rpc: its name on the wire, e.g. `RoomDel`.
            fields: fields of the request.

        Raises:
            ActionFailed: the puppet did not do it.
            ApiNotAvailable: this puppet has no such call.
            InDoubt: whether it was done is not known.
            NetworkError: it did not reach the service.
            Refused: the token is wrong.
            TypeError: a field that this request does not have.
        """
        method = _METHODS[rpc]
        try:
            asked = _class(method.input_type)(**fields)
        except ValueError as error:
            raise TypeError(f"{rpc}: {error}") from error
        try:
            made = self._way(method)
            answer = await made(asked, metadata=self._metadata, timeout=self._deadline(rpc))
        except aio.AioRpcError as error:
            raise _meaning(error, rpc) from error
        return cast("Answer", answer)

    async def events(self, seq: int = 0, account: str = "") -> AsyncIterator[tuple[int, str, int]]:
        """Give the events as they come, until the stream ends: number, JSON text, and place in line (0 without one).

        Args:
            seq: place of the last event that was heard before; a dialect goes on behind it.
            account: the account it was told of.

        Raises:
            Taken: somebody else reads them.
            NetworkError, Refused: as with a call.
        """
        method = _METHODS["Event"]
        asked = _class(method.input_type).FromString(resuming(seq, account))
        stream = self._live().unary_stream(
            SERVICE + "Event",
            request_serializer=_serialized,
            response_deserializer=_class(method.output_type).FromString,
        )(asked, metadata=self._metadata)
        try:
            async for one in stream:
                yield int(one.type), str(one.payload), number_of(one, SEQ_OF_EVENT)
        except aio.AioRpcError as error:
            raise _meaning(error, "Event") from error
        finally:
            stream.cancel()

    async def upload(self, data: bytes) -> str:
        """Put a file up in pieces; gives the handle by which it is sent.

        Raises:
            ActionFailed, ApiNotAvailable, InDoubt, NetworkError, Refused: as with a call.
        """
        method = _METHODS["Upload"]
        made = self._live().stream_unary(
            SERVICE + "Upload",
            request_serializer=_serialized,
            response_deserializer=_class(method.output_type).FromString,
        )
        asked = _class(method.input_type)
        chunks = (asked(chunk=data[at : at + CHUNK]) for at in range(0, max(len(data), 1), CHUNK))
        try:
            answer = await made(chunks, metadata=self._metadata, timeout=self._config.wechaty_file_seconds)
        except aio.AioRpcError as error:
            raise _meaning(error, "Upload") from error
        return str(answer.id)

    async def download(self, handle: str) -> AsyncIterator[bytes]:
        """Fetch a file in pieces.

        Raises:
            ActionFailed, ApiNotAvailable, NetworkError, Refused: as with a call.
        """
        method = _METHODS["Download"]
        stream = self._live().unary_stream(
            SERVICE + "Download",
            request_serializer=_serialized,
            response_deserializer=_class(method.output_type).FromString,
        )(
            _class(method.input_type)(id=handle),
            metadata=self._metadata,
            timeout=self._config.wechaty_file_seconds,
        )
        try:
            async for one in stream:
                yield bytes(one.chunk)
        except aio.AioRpcError as error:
            raise _meaning(error, "Download") from error
        finally:
            stream.cancel()

    def _deadline(self, rpc: str) -> float:
        return self._config.wechaty_file_seconds if rpc in _FILES else self._config.wechaty_call_seconds

    def _live(self) -> aio.Channel:
        if self._channel is None:
            raise NetworkError("the channel is closed")
        return self._channel

    def _way(self, method: descriptor.MethodDescriptor) -> Callable[..., Awaitable[Any]]:
        return cast(
            "Callable[..., Awaitable[Any]]",
            self._live().unary_unary(
                SERVICE + method.name,
                request_serializer=_serialized,
                response_deserializer=_class(method.output_type).FromString,
            ),
        )


def _channel(account: Account) -> aio.Channel:
    if not account.tls:
        return aio.insecure_channel(account.endpoint)
    if account.ca_file:
        root = Path(account.ca_file).read_bytes()
    else:
        root = resources.files("groupops_wechat.wire").joinpath("root_ca.pem").read_bytes()
    options = (("grpc.ssl_target_name_override", account.server_name),)
    return aio.secure_channel(account.endpoint, grpc.ssl_channel_credentials(root), options)


def _class(kind: descriptor.Descriptor) -> Any:
    return message_factory.GetMessageClass(kind)


def _serialized(message: Wired) -> bytes:
    return message.SerializeToString()


def _meaning(error: aio.AioRpcError, rpc: str) -> Exception:
    """Say what an error means; the service's own words may hold the token, so only a puppet's are passed on."""
    code, details = error.code(), error.details() or ""
    match code:
        case grpc.StatusCode.UNAUTHENTICATED:
            return Refused(
                "the service does not accept the token; compare WECHATY_ACCOUNTS with its own setting"
            )
        case grpc.StatusCode.ALREADY_EXISTS:
            return Taken(
                "another program reads the events of this service; stop it, or give it a service of its own"
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return ApiNotAvailable(rpc)
        case grpc.StatusCode.UNAVAILABLE if _never_left(details):
            return NetworkError(f"{rpc}: the service cannot be reached")
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.CANCELLED:
            lost = f"{rpc}: no answer ({code.name.lower()})"
            return NetworkError(lost) if _READING.fullmatch(rpc) or rpc == "Event" else InDoubt(lost)
        case _:
            why = first_line(details)
            return ApiNotAvailable(rpc) if _UNSUPPORTED in why else ActionFailed(rpc, why)


def _never_left(details: str) -> bool:
    """Say whether gRPC says that it had no connection at all, so that nothing was sent."""
    return "failed to connect" in details.lower() or "handshake" in details.lower()


def first_line(details: str) -> str:
    """Give the first line of a puppet's error, without the stack that follows it."""
    return details.partition("\n")[0].removeprefix("Error: ").strip()
