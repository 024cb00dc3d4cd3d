"""What can go wrong on the way to WeCom, told apart by what the caller may do next."""

from __future__ import annotations

from nonebot.exception import ActionFailed as BaseActionFailed
from nonebot.exception import AdapterException
from nonebot.exception import ApiNotAvailable as BaseApiNotAvailable
from nonebot.exception import NetworkError as BaseNetworkError
from nonebot.exception import NoLogException as BaseNoLogException
from typing_extensions import override


class WeComAdapterException(AdapterException):
    """Anything this adapter raises."""

    def __init__(self, *args: object) -> None:
        super().__init__("WeCom", *args)

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.args))})"


class NoLogException(BaseNoLogException, WeComAdapterException):
    """An event is handled, and not logged."""


class ActionFailed(BaseActionFailed, WeComAdapterException):
    """WeCom answered, and did not do it.

    Args:
        api: path of the interface, or command of the long connection.
        errcode: WeCom's number; never 0.
        errmsg: WeCom's words.
    """

    def __init__(self, api: str, errcode: int, errmsg: str = "") -> None:
        super().__init__(f"{api}: {errcode} {errmsg[:200]}".rstrip())
        self.api = api
        self.errcode = errcode
        self.errmsg = errmsg


class NetworkError(BaseNetworkError, WeComAdapterException):
    """Nothing was done: it did not leave this machine, or it was certainly not taken.

    Args:
        msg: what happened, without secrets.
    """

    def __init__(self, msg: str = "") -> None:
        super().__init__(msg)
        self.msg = msg


class InDoubt(NetworkError):
    """It was sent and the answer was lost: whether it was done is not known."""


class ApiNotAvailable(BaseApiNotAvailable, WeComAdapterException):
    """This bot has no such interface in its mode, now.

    Args:
        why: what is missing and what to do.
    """

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class WindowClosed(ApiNotAvailable):
    """WeCom takes this only within a time after the event, and that time is over; nothing was sent."""


class ConfigFault(WeComAdapterException):
    """The configuration does not hold; the adapter does not start.

    Args:
        faults: one sentence for each, naming the key and what to do.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(
            "\n".join(("the WeCom adapter does not start:", *(f"  {fault}" for fault in faults)))
        )
        self.faults = faults

    @override
    def __repr__(self) -> str:
        return str(self.args[0])
