"""The peer wecom-aibot-sdk as an AI bot: `python wecom_aibot.py <address> <bot id> <secret>`, with its own interpreter.

Does what tests/support/wecom_script.py asks of a bot, and prints a line of JSON for what it hears.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from typing import Any

from wecom_aibot_sdk import WSClient  # type: ignore[import-not-found]


class Silent:
    """In place of the peer's logger."""

    def debug(self, *_: Any) -> None:
        """Nothing."""

    info = warn = error = debug


def say(**what: Any) -> None:
    print(json.dumps(what, ensure_ascii=False), flush=True)  # noqa: T201 - whoever started it reads it


def button(task_id: str) -> dict[str, Any]:
    return {
        "card_type": "button_interaction",
        "main_title": {"title": "打卡", "desc": "十点前"},
        "button_list": [
            {"text": "已到岗", "style": 1, "key": "here"},
            {"text": "请假", "style": 2, "key": "away"},
        ],
        "task_id": task_id,
    }


def notice(task_id: str) -> dict[str, Any]:
    return {
        "card_type": "text_notice",
        "main_title": {"title": "已打卡"},
        "card_action": {"type": 1, "url": "https://example.com"},
        "task_id": task_id,
    }


async def work(bot: Any, frame: Any) -> None:
    chat = frame["body"]["chatid"]
    await bot.reply_stream(frame, "stream_1", "处理中", False)
    await bot.reply_stream(frame, "stream_1", "好了", True)
    await bot.reply_template_card(frame, button("task_1"))
    await bot.send_message(chat, {"msgtype": "markdown", "markdown": {"content": "**推送**"}})
    await bot.send_message(chat, {"msgtype": "template_card", "template_card": button("task_2")})
    kept = await bot.upload_media(b"x" * (600 * 1024), type="file", filename="名单.bin")
    await bot.send_media_message(chat, "file", kept["media_id"])
    await bot.reply_media(frame, "file", kept["media_id"])
    say(worked=sorted(kept))


async def fetch(bot: Any, frame: Any) -> None:
    inner = frame["body"][frame["body"]["msgtype"]]
    got = await bot.download_file(inner["url"], inner.get("aeskey"))
    digest = hashlib.sha256(got["buffer"]).hexdigest()
    say(fetched={"filename": got["filename"], "sha256": digest})


async def main(address: str, bot_id: str, secret: str) -> None:
    bot = WSClient(
        bot_id, secret, ws_url=address, logger=Silent(), reconnect_interval=5, max_auth_failure_attempts=2
    )

    def trying(do: Any) -> Any:
        async def tried(frame: Any) -> None:
            try:
                await do(frame)
            except Exception as error:  # noqa: BLE001 - the peer raises plain ones
                said = error.args[0] if error.args else ""
                say(refused=said.get("errcode") if isinstance(said, dict) else str(error))

        return tried

    async def on_text(frame: Any) -> None:
        body = frame["body"]
        said = body["text"]["content"]
        say(heard={"text": said, "by": body["from"]["userid"], "type": body["chattype"]})
        if said.endswith("go"):
            await work(bot, frame)
        if said.endswith("late"):
            await bot.reply_stream({"headers": {"req_id": "none"}}, "s", "x", True)

    async def on_press(frame: Any) -> None:
        pressed = frame["body"]["event"]["template_card_event"]
        say(pressed={"key": pressed["event_key"], "task": pressed["task_id"]})
        await bot.update_template_card(frame, notice(pressed["task_id"]), [frame["body"]["from"]["userid"]])

    async def on_enter(frame: Any) -> None:
        await bot.reply_welcome(frame, {"msgtype": "text", "text": {"content": "您好"}})

    bot.on("message.text", trying(on_text))
    for kind in ("image", "file", "video"):
        bot.on(f"message.{kind}", trying(lambda frame: fetch(bot, frame)))
    bot.on("message.voice", lambda frame: say(heard={"voice": frame["body"]["voice"]["content"]}))
    items = "msg_item"
    bot.on(
        "message.mixed",
        lambda frame: say(heard={"mixed": [one["msgtype"] for one in frame["body"]["mixed"][items]]}),
    )
    bot.on("event.enter_chat", trying(on_enter))
    bot.on("event.template_card_event", trying(on_press))
    bot.on("event.feedback_event", lambda frame: say(rated=frame["body"]["event"]["feedback_event"]["type"]))
    bot.on("event.disconnected_event", lambda _: say(replaced=True))
    bot.on("authenticated", lambda: say(subscribed=True))
    bot.on("error", lambda error: say(error=str(error)))
    await bot.connect()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
