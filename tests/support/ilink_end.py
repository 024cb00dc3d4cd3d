"""A make-believe iLink on loopback: the calls of Tencent's one-to-one interface, its windows and its throttling."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "made-up-token-of-a-bot"
BOT = "b0f5860fdecb@im.bot"
CHANG = "o9chang@im.wechat"

FIRST_NUMBER = 2**63 + 11
"""Numbers of messages need all 64 bits, as Tencent's do."""


class ILinkEnd:
    """The interface, for one bot and whoever writes to it.

    Args:
        hold: seconds a poll without news is held.
        answers: messages that may follow one that somebody wrote.
        port: where to listen; 0 for any.
    """

    def __init__(self, *, hold: float = 0.4, answers: int = 10, port: int = 0) -> None:
        self.hold = hold
        self.answers = answers
        self.token = TOKEN
        self.calls: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.sent: list[tuple[str, str]] = []
        self.scanned = deque(["wait", "scaned", "confirmed"])
        self.refuses: dict[str, int] = {}
        """Call → the HTTP status it is refused with."""
        self.ret: dict[str, int] = {}
        """Call → the `ret` it is answered with."""
        self._left: dict[str, int] = {}
        self._news: list[dict[str, Any]] = []
        self._read = 0
        self._number = FIRST_NUMBER
        self._turn = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # — what people do —

    def says(
        self, user: str, text: str, *, item: dict[str, Any] | None = None, at: float | None = None
    ) -> int:
        """Have somebody write to the bot; gives the message's number."""
        with self._turn:
            self._number += 1
            self._left[user] = self.answers
            self._news.append(
                {
                    "seq": len(self._news) + 1,
                    "message_id": self._number,
                    "from_user_id": user,
                    "to_user_id": BOT,
                    "client_id": f"c{self._number}",
                    "create_time_ms": int((time.time() if at is None else at) * 1000),
                    "session_id": f"{user}#{BOT}",
                    "message_type": 1,
                    "message_state": 2,
                    "item_list": [item or {"type": 1, "text_item": {"text": text}}],
                    "context_token": f"ctx-{user}-{self._number}",
                }
            )
            self._turn.notify_all()
            return self._number

    def speaks(self, user: str, heard: str) -> int:
        """Have somebody send a voice message, with what it was heard to say."""
        return self.says(user, "", item={"type": 3, "voice_item": {"playtime": 1200, "text": heard}})

    def pictures(self, user: str) -> int:
        """Have somebody send a picture."""
        return self.says(user, "", item={"type": 2, "image_item": {"url": "x"}})

    def texts(self, user: str) -> list[str]:
        """Give what somebody was sent."""
        return [text for who, text in self.sent if who == user]

    def called(self, call: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Give headers and body of each time a call was made."""
        return [(headers, body) for name, headers, body in self.calls if name == call]

    # — the calls —

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """Answer a call: status and body."""
        parts = urlsplit(path)
        call = parts.path.removeprefix("/ilink/bot/").removeprefix("msg/")
        self.calls.append((call, headers, body))
        if call in self.refuses:
            return self.refuses[call], {"errmsg": "refused"}
        if call in self.ret:
            return 200, {"ret": self.ret[call], "errmsg": "made up"}
        if call == "get_bot_qrcode":
            return 200, {"qrcode": "q1", "qrcode_img_content": "weixin://q1"}
        if call == "get_qrcode_status":
            return 200, self._status(parse_qs(parts.query))
        wrong = _wrong(method, headers, body)
        if wrong:
            return 400, {"errmsg": wrong}
        if headers.get("authorization") != f"Bearer {self.token}":
            return 200, {"ret": -14, "errcode": -14, "errmsg": "session timeout"}
        return 200, getattr(self, f"_{call}", _unknown)(body)

    def _status(self, query: dict[str, list[str]]) -> dict[str, Any]:
        if query.get("qrcode") != ["q1"]:
            return {"status": "expired"}
        status = self.scanned.popleft() if len(self.scanned) > 1 else self.scanned[0]
        login = {"bot_token": self.token, "ilink_bot_id": BOT, "ilink_user_id": CHANG, "baseurl": self.url}
        return {"status": status, **(login if status == "confirmed" else {})}

    def _getupdates(self, body: dict[str, Any]) -> dict[str, Any]:
        """Hand out what is new, once: what was handed out is consumed, whatever cursor comes."""
        with self._turn:
            self._turn.wait_for(lambda: self._read < len(self._news), timeout=self.hold)
            fresh, self._read = self._news[self._read :], len(self._news)
        return {
            "msgs": fresh,
            "get_updates_buf": base64.b64encode(str(self._read).encode()).decode(),
            "longpolling_timeout_ms": int(self.hold * 1000),
        }

    def _sendmessage(self, body: dict[str, Any]) -> dict[str, Any]:
        message = body.get("msg", {})
        items = message.get("item_list") or []
        user = message.get("to_user_id", "")
        if len(items) != 1 or message.get("message_type") != 2 or not message.get("client_id"):
            return {"ret": -1, "errmsg": "bad message"}
        with self._turn:
            if self._left.get(user, 0) < 1 or not message.get("context_token"):
                return {"ret": -2, "errmsg": "prepare failed"}
            self._left[user] -= 1
            self._number += 1
            self.sent.append((user, items[0].get("text_item", {}).get("text", "")))
            return {"message_id": self._number}

    def _getconfig(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ret": 0, "typing_ticket": f"t-{body.get('ilink_user_id')}"}

    def _sendtyping(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ret": 0 if body.get("status") in (1, 2) and body.get("typing_ticket") else -1}

    def _notifystart(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ret": 0}

    _notifystop = _notifystart


def _wrong(method: str, headers: dict[str, str], body: dict[str, Any]) -> str:
    """Say what of a call is not as the interface wants it."""
    uin = headers.get("x-wechat-uin", "")
    try:
        number = int(base64.b64decode(uin))
    except ValueError:
        return "X-WECHAT-UIN is no number in base64"
    if method != "POST" or headers.get("authorizationtype") != "ilink_bot_token" or not 0 <= number < 2**32:
        return "method, AuthorizationType or X-WECHAT-UIN"
    if headers.get("ilink-app-id") != "bot" or not headers.get("ilink-app-clientversion", "").isdigit():
        return "iLink-App-Id or iLink-App-ClientVersion"
    return "" if "channel_version" in body.get("base_info", {}) else "base_info"


def _unknown(body: dict[str, Any]) -> dict[str, Any]:
    return {"ret": -1, "errmsg": "no such call"}


def _handler_of(end: ILinkEnd) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(json.loads(raw or b"{}"))

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = end.answer(self.command, self.path, headers, body)
            raw = json.dumps(said, ensure_ascii=False).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
