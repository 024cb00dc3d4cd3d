"""The workshop's group behind a real Puppet Service; the account owns the room, and cannot mute or recall."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.e2e.started import Place, free_port
from tests.e2e.workshop import CARDS, PACK, Told, Workshop
from tests.support.wechaty_end import ME, ROOM, WechatyEnd

WXIDS = {"何静": "wxid_hejing", "罗程": "wxid_luocheng", "王芳": "wxid_wangfang", "李强": "wxid_liqiang"}
NAMES = {wxid: name for name, wxid in WXIDS.items()}

ROSTER = """\
工号,姓名,部门,职务,角色,微信号,在职
HF0101,何静,人事部,主管,员工,wxid_hejing,是
HF0102,罗程,业务部,组长,员工,wxid_luocheng,是
HF0103,李强,业务部,专员,员工,wxid_liqiang,是
HF0104,王芳,业务部,专员,员工、业务人员,wxid_wangfang,是
"""

RULES = PACK.replace('steps = ["warn", "mute"]', 'steps = ["warn", "mute", "kick"]')


class WeChatWorkshop(Workshop):
    """See `Workshop`; nothing is ever decided, recalled or muted by the account: humans are asked to.

    Args:
        place: where the bot lives.
        end: the service, empty.
    """

    stewards = (f"wechat:{WXIDS['何静']}", f"wechat:{WXIDS['罗程']}")
    decided: list[tuple[str, bool]] = []  # noqa: RUF012 - WeChat asks nobody
    recalled: list[str] = []  # noqa: RUF012 - nor can anybody's message be recalled
    mutes: list[tuple[str, int]] = []  # noqa: RUF012 - nor anybody be muted

    def __init__(self, place: Place, end: WechatyEnd) -> None:
        super().__init__(place)
        self.end = end

    @classmethod
    def env(cls) -> dict[str, str]:
        return {"GROUPOPS_ADAPTERS": '["wechat"]', "WECHATY_ACCEPT_UNOFFICIAL_RISK": "true"}

    async def furnish(self, owner: str = ME) -> None:
        """Make the room and the people, and have the account log in; 李强 is not in yet."""
        await self.end.reset()
        await self.end.furnish({WXIDS[name]: f"{name}的昵称" for name in CARDS}, owner=owner)
        await self.end.do("person", id=WXIDS["李强"], name="李强的昵称")
        await self.end.do("person", id="wxid_nobody1", name="路人")
        for name, card in CARDS.items():
            await self.put_card(name, card)

    async def connect(self) -> None:
        """The bot connects by itself."""

    async def known(self) -> None:
        """Ask until the bot answers: what is said while nobody reads the stream is lost."""
        before = len(self.texts("罗程"))
        for _ in range(30):
            await self.whisper("罗程", "我的记录")
            for _ in range(20):
                if len(self.texts("罗程")) > before:
                    return
                await asyncio.sleep(0.1)
        raise AssertionError(self.story())

    async def ask_to_join(self, name: str, words: str) -> str:
        raise AssertionError(f"nobody asks to come into a WeChat room: {name}, {words}")

    async def join(self, name: str) -> None:
        await self.end.do("join", room=ROOM, who=[WXIDS[name]], by=WXIDS["何静"])

    async def put_card(self, name: str, card: str) -> None:
        """Have somebody change the own 群昵称; nothing tells of it."""
        await self.end.do("alias", room=ROOM, who=WXIDS[name], text=card)

    async def say(self, name: str, text: str) -> str:
        return await self.end.says(WXIDS[name], text)

    async def whisper(self, name: str, text: str) -> None:
        await self.end.says(WXIDS[name], text, to=ME)

    async def send_packet(self, name: str) -> None:
        """Have somebody send a red packet."""
        await self.end.do("packet", **{"from": WXIDS[name], "to": ROOM})

    async def show_place(self, name: str) -> None:
        """Have somebody share a place with the account alone."""
        where = {"latitude": 31.2304, "longitude": 121.4737, "name": "人民广场"}
        await self.end.do("place", **{"from": WXIDS[name], "to": ME}, **where)

    async def repeat(self) -> None:
        """A service tells nothing twice."""

    @property
    def told(self) -> list[Told]:
        return [
            Told(to=NAMES.get(one["to"], "" if one["to"] == ROOM else one["to"]), text=one["said"])
            for one in self.end.said()
        ]

    @property
    def removed(self) -> list[str]:
        """Who was put out of the room by the account."""
        return [NAMES.get(one["id"], one["id"]) for one in self.end.seen if one.get("done") == "removed"]

    async def close(self) -> None:
        """The service goes on."""


def wechat_home(folder: Path) -> Path:
    """Make the folder in which a bot lives: a pack, and a database with the roster and the stewards in it."""
    (folder / "packs").mkdir()
    (folder / "packs" / "workshop.toml").write_text(RULES, encoding="utf-8")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return folder


def account_of(end: WechatyEnd) -> dict[str, str]:
    """Give the line of `.env` that names the service."""
    account = {"endpoint": f"127.0.0.1:{end.port}", "token": end.token, "tls": end.tls}
    return {"WECHATY_ACCOUNTS": json.dumps([account])}


def service() -> WechatyEnd:
    """Give a service that runs."""
    made = WechatyEnd(free_port(), tls=True)
    made.begin()
    return made
