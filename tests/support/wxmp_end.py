"""WeChat's side of an official account on loopback: callbacks it signs, and the interface that takes messages."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

import httpx
import nonebot
from nonebot.drivers import Driver
from nonebot.matcher import matchers

from groupops import Notebook
from groupops.bridge import Bridge, running, start_nonebot
from groupops.clock import Clock, SystemClock
from groupops.lanes import Intake
from groupops.notebook import OwnNotebook
from groupops.store.memory import MemoryRecords
from groupops_wxmp.wxmp import OfficialAccount

APPID, TOKEN, SECRET = "wx0123456789abcdef", "signed-by-this", "made-up-secret"
LI = "oLi_1234567890"


class WeChatApi:
    """The interface at which customer-service messages are sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.errcodes: list[int] = []
        """What the next messages are answered with; 0 is success."""
        self.tokens = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def end(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        call = urlsplit(path).path
        if call == "/cgi-bin/stable_token":
            self.tokens += 1
            return {"access_token": f"t{self.tokens}", "expires_in": 7200}
        code = self.errcodes.pop(0) if self.errcodes else 0
        if call != "/cgi-bin/message/custom/send" or code:
            return {"errcode": code or 40066, "errmsg": "made up"}
        self.sent.append((body["touser"], body["text"]["content"]))
        return {"errcode": 0, "errmsg": "ok"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = json.dumps(api.answer(self.path, json.loads(raw))).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


class Caller:
    """WeChat, which signs what members do and posts it.

    Args:
        client: posts to the bot's server.
        clock: when it signs.
    """

    def __init__(self, client: httpx.AsyncClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._numbers = count(23_000_000_000_000_000)

    async def post(
        self,
        body: str,
        *,
        token: str = TOKEN,
        at: float | None = None,
        nonce: str = "",
        appid: str = APPID,
    ) -> httpx.Response:
        """Post a body, signed."""
        stamp = str(int(self._clock.now().timestamp() if at is None else at))
        nonce = nonce or str(next(self._numbers))
        signature = hashlib.sha1("".join(sorted((token, stamp, nonce))).encode()).hexdigest()  # noqa: S324
        query = urlencode({"signature": signature, "timestamp": stamp, "nonce": nonce, "openid": LI})
        return await self._client.post(f"/wxmp/revice/{appid}?{query}", content=body.encode())

    async def says(self, text: str, *, who: str = LI) -> httpx.Response:
        """Have a member write."""
        return await self.post(self.xml(who, "text", Content=text))

    async def sends_place(self, latitude: float, longitude: float, *, who: str = LI) -> httpx.Response:
        """Have a member send a place."""
        place = {"Location_X": latitude, "Location_Y": longitude, "Scale": 16, "Label": "一号仓"}
        return await self.post(self.xml(who, "location", **place))

    async def does(self, event: str, *, who: str = LI, inner: str = "", **more: object) -> httpx.Response:
        """Have a member do something that is an event."""
        return await self.post(self.xml(who, "event", inner=inner, Event=event, **more))

    def xml(self, who: str, kind: str, inner: str = "", number: int = 0, **more: object) -> str:
        """Write an event as WeChat does."""
        rows = {
            "ToUserName": "gh_1",
            "FromUserName": who,
            "CreateTime": int(self._clock.now().timestamp()),
            "MsgType": kind,
            **more,
        }
        if kind != "event":
            rows["MsgId"] = number or next(self._numbers)
        return f"<xml>{''.join(f'<{key}>{escape(str(value))}</{key}>' for key, value in rows.items())}{inner}</xml>"


@asynccontextmanager
async def served(
    intake: Intake[Any],
    *,
    api: WeChatApi | None = None,
    approve: bool = False,
    within: float = 1.5,
    clock: Clock | None = None,
    book: Notebook | None = None,
    **more: Any,
) -> AsyncIterator[tuple[OfficialAccount, Caller]]:
    """An official account whose callbacks come to us, and hands what it hears to an intake."""
    clock = clock or SystemClock()
    bot = {"appid": APPID, "token": TOKEN, "secret": SECRET, "type": "official", "approve": approve}
    driver = start_nonebot(
        {
            "driver": "~fastapi+~httpx",
            "wxmp_bots": [bot],
            "wxmp_official_timeout": within,
            **({"wxmp_api_root": api.url} if api else {}),
            **more,
        },
        log_level="CRITICAL",
        accelerate=False,
    )
    book = book or OwnNotebook(records=MemoryRecords(), owner="wxmp", clock=clock)
    platform = OfficialAccount(clock, book)
    bridge = Bridge(intake, [platform])
    try:
        bridge.install(driver)
        transport = httpx.ASGITransport(app=driver.server_app)  # type: ignore[attr-defined]
        async with running(driver), httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            yield platform, Caller(client, clock)
    finally:
        nonebot._driver = None
        Driver._adapters.clear()
        matchers.clear()
