"""What an operator sets, beside `WXMP_BOTS` of `nonebot-adapter-wxmp` itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

LEAST_TOKEN = 3
MOST_TOKEN = 32
"""Characters of the token by which callbacks are signed, as the platform takes them."""

NOBODY = (
    'WXMP_BOTS names no account: write [{"appid":"wx…","token":"…","secret":"…","type":"official"}]; '
    'or take "wxmp" out of GROUPOPS_ADAPTERS'
)


class Config(BaseModel):
    """Keys of `.env` or of the environment."""

    model_config = ConfigDict(frozen=True)

    wxmp_freshness_seconds: float = Field(
        default=300.0, ge=10, le=3600, title="签名时间与现在相差超过多少秒的推送不收"
    )
    wxmp_body_bytes: int = Field(default=65_536, ge=4096, le=1 << 20, title="一次推送最多多少字节")
    wxmp_window_hours: float = Field(
        default=48.0, gt=0, le=168, title="对方说话之后多少小时内可以发客服消息(须已认证)"
    )
    wxmp_keep_hours: float = Field(default=24.0, gt=0, le=720, title="等对方开口的消息最多等几小时")
    wxmp_api_root: str = Field(
        default="https://api.weixin.qq.com", title="公众平台接口的地址;经代理访问时才要改"
    )


def faults(theirs: Any, own: Config) -> Sequence[str]:
    """Give what is wrong with the keys, each fault as a sentence that says what to do."""
    bots = theirs.wxmp_bots
    if not bots:
        return (NOBODY,)
    found: list[str] = []
    for number, bot in enumerate(bots):
        key = f"WXMP_BOTS[{number}]"
        if bot.type != "official":
            found.append(f'{key}.type is {bot.type!r}; only "official" is supported: write it out')
        if not LEAST_TOKEN <= len(bot.token) <= MOST_TOKEN:
            found.append(
                f"{key}.token has {len(bot.token)} characters; callbacks are signed by it, set {LEAST_TOKEN} to {MOST_TOKEN}"
            )
        if bot.callback is not None:
            found.append(f"{key}.callback hands what members say to another server; leave it out")
    twice = [one for one, times in Counter(bot.appid for bot in bots).items() if times > 1]
    found += [f"WXMP_BOTS names {one!r} twice; name it once" for one in sorted(twice)]
    if not theirs.wxmp_verify:
        found.append("WXMP_VERIFY is false; the address of the callback has to prove itself, leave it out")
    root = own.wxmp_api_root
    if not root.startswith("https://") and "://127.0.0.1:" not in root:
        found.append(f"WXMP_API_ROOT is {root!r}; write an https address")
    return found
