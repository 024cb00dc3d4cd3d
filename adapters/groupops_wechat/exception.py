"""What can go wrong on the way to a puppet service, told apart by what the caller may do next."""

from __future__ import annotations

from nonebot.exception import ActionFailed as BaseActionFailed
from nonebot.exception import AdapterException
from nonebot.exception import ApiNotAvailable as BaseApiNotAvailable
from nonebot.exception import NetworkError as BaseNetworkError
from typing_extensions import override


class WechatyException(AdapterException):
    """Anything this adapter raises."""

    def __init__(self, *args: object) -> None:
        super().__init__("Wechaty", *args)

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.args))})"


class ActionFailed(BaseActionFailed, WechatyException):
    """The puppet answered, and did not do it.

    Args:
        rpc: name of the call, e.g. `RoomDel`.
        why: the puppet's first line; it has no codes (protocol sheet 3.6).
    """

    def __init__(self, rpc: str, why: str = "") -> None:
        super().__init__(f"{rpc}: {why[:200]}".rstrip(": "))
        self.rpc = rpc
        self.why = why


class ApiNotAvailable(BaseApiNotAvailable, WechatyException):
    """This puppet has no such call.

    Args:
        rpc: name of the call.
    """

    def __init__(self, rpc: str = "") -> None:
        super().__init__(rpc)
        self.rpc = rpc


class NetworkError(BaseNetworkError, WechatyException):
    """Nothing was done: the call did not reach the service.

    Args:
        msg: what happened, without secrets.
    """

    def __init__(self, msg: str = "") -> None:
        super().__init__(msg)
        self.msg = msg


class InDoubt(NetworkError):
    """The call was sent and no answer came: whether it was done is not known."""


class Refused(WechatyException):
    """The service does not let us in; trying again is of no use before somebody changes something.

    Args:
        why: what is wrong and what to do, without secrets.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Taken(WechatyException):
    """Somebody else reads this service's events; it has one stream only (protocol sheet 3.3)."""


class ConfigFault(WechatyException):
    """The configuration does not hold; the adapter does not start.

    Args:
        faults: one sentence for each, naming the key and what to do.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(("the Wechaty adapter does not start:", *(f"  {one}" for one in faults))))
        self.faults = faults

    @override
    def __repr__(self) -> str:
        return str(self.args[0])
