"""Posts to callback URLs as WeCom does: encrypted, signed, three times at most, and reads what is answered."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from groupops_wecom.crypto import Cipher, CryptoError
from groupops_wecom.testing.aibots import STREAM_WINDOW, AiBots, Anchor
from groupops_wecom.testing.letters import Letters
from groupops_wecom.testing.refusals import RefusalError, WorldError
from groupops_wecom.testing.world import App, Callback, Card, Json, World
from groupops_wecom.xmls import XmlError, tree_of, written

TRIES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """Something that was posted to a callback URL.

    Args:
        plain: what was in it.
        tries: how often it was posted.
        status: HTTP status of the last answer; 0 = none came in time.
        answer: what was in the answer, decrypted; empty when it was empty.
        wrong: why WeCom would not take the answer; empty when it would.
    """

    url: str
    plain: str
    tries: int
    status: int
    answer: str = ""
    wrong: str = ""


class Pusher:
    """The way from WeCom to whoever set a callback URL.

    Args:
        world: what there is.
        bots: the AI bots' rules.
        letters: where cards of apps are changed.

    Attributes:
        posts: what was posted, in order.
        patience: real seconds an answer may take.
        quick: real seconds a verification may take.
        interval: real seconds between two questions for the rest of a stream.
    """

    def __init__(self, world: World, bots: AiBots, letters: Letters) -> None:
        self.world = world
        self.bots = bots
        self.letters = letters
        self.posts: list[Post] = []
        self.patience = 5.0
        self.quick = 1.0
        self.interval = 0.05
        self.polling: set[asyncio.Task[None]] = set()
        self._api_base = ""
        self._http: httpx.AsyncClient | None = None

    # — setting a callback URL up —

    async def verify(self, callback: Callback) -> bool:
        """Ask a URL whether it is the one: whether it gives back what was encrypted for it, and nothing else."""
        cipher = _cipher(callback)
        word = self.world.fresh("67890")
        encrypted = cipher.encrypt(word.encode())
        query = self._signed(cipher, encrypted) | {"echostr": encrypted}
        try:
            answer = await self._client().get(callback.url, params=query, timeout=self.quick)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and answer.content == word.encode()  # noqa: PLR2004

    # — apps —

    async def tell_app(self, app: App, fields: Mapping[str, Any], card: Card | None = None) -> Post:
        """Tell an app of something, and do what its passive reply asks for.

        Args:
            app: the app; it must have a callback URL.
            fields: what the XML says beside to and when.
            card: the card that was pressed.
        """
        return await self.tell(_set(app.callback, app.agent_id), {**fields, "AgentID": app.agent_id}, card)

    async def tell(self, callback: Callback, fields: Mapping[str, Any], card: Card | None = None) -> Post:
        """Tell whoever has this callback URL of something, in XML."""
        head = {"ToUserName": self.world.corp_id, "FromUserName": "sys", "CreateTime": int(self.world.now())}
        plain = written({**head, **fields})
        envelope = {"ToUserName": self.world.corp_id, "AgentID": str(fields.get("AgentID", ""))}
        cipher = _cipher(callback)

        def wrapped(encrypted: str) -> str:
            return written({**envelope, "Encrypt": encrypted})

        tries, status, answer, _ = await self._post(callback, cipher, plain, wrapped)
        read, wrong = self._passive(cipher, answer, str(fields.get("FromUserName", "")), card)
        return self._noted(callback, plain, tries, status, read, wrong)

    def _passive(self, cipher: Cipher, answer: bytes, userid: str, card: Card | None) -> tuple[str, str]:
        """Read a passive reply: gives what it says, and why it would not be taken."""
        if not answer:
            return "", ""
        try:
            outer = tree_of(answer)
            words = [str(outer.get(key, "")) for key in ("MsgSignature", "TimeStamp", "Nonce", "Encrypt")]
            if not cipher.signed(*words):
                return answer.decode(errors="replace"), "the signature does not hold"
            plain = cipher.decrypt(words[3])
            self._do_passive(tree_of(plain), userid, card)
        except (XmlError, CryptoError, RefusalError) as no:
            return answer.decode(errors="replace"), str(no)
        return plain.decode(), ""

    def _do_passive(self, said: Json, userid: str, card: Card | None) -> None:
        kind = str(said.get("MsgType", ""))
        if (said.get("ToUserName"), said.get("FromUserName")) != (userid, self.world.corp_id):
            raise RefusalError(40035, "ToUserName and FromUserName are not swapped")
        if kind in {"update_button", "update_template_card"}:
            if card is None:
                raise RefusalError(40058, f"{kind} answers no press")
            if kind == "update_button":
                card.done[userid] = str(said["Button"]["ReplaceName"])
            else:
                card.shown[userid] = {"task_id": card.task_id, "of_passive_reply": said["TemplateCard"]}
            return
        person = self.world.people.get(userid)
        if kind not in {"text", "image", "voice", "video", "news"} or person is None:
            raise RefusalError(40008, f"MsgType {kind!r}")
        body = {"content": said["Content"]} if kind == "text" else dict(said.get(kind.title(), {}))
        self.world.post(person, "passive", kind, body)

    # — AI bots in callback mode —

    async def tell_bot(self, anchor: Anchor) -> Post:
        """Tell an AI bot of something, do what its answer says, and ask for the rest of a stream."""
        callback = _set(anchor.bot.callback, anchor.bot.bot_id)
        if anchor.kind in {"message", "template_card_event"}:
            anchor.response_code = self.world.fresh("RESPONSE")
        url = f"{self._api_base}/cgi-bin/aibot/response?response_code={anchor.response_code}"
        body = {**anchor.body, **({"response_url": url} if anchor.response_code else {})}
        post = await self._ask_bot(callback, anchor, body, TRIES if anchor.kind == "message" else 1)
        if any(not one.finished for one in anchor.streams.values()):
            task = asyncio.create_task(self._poll(callback, anchor))
            self.polling.add(task)
            task.add_done_callback(self.polling.discard)
        return post

    def at(self, base: str) -> None:
        """Say where REST calls go, for `response_url`."""
        self._api_base = base

    async def _ask_bot(self, callback: Callback, anchor: Anchor, body: Json, tries: int) -> Post:
        cipher = _cipher(callback)
        plain = json.dumps(body, ensure_ascii=False)

        def wrapped(encrypted: str) -> str:
            return json.dumps({"encrypt": encrypted})

        done, status, answer, nonce = await self._post(callback, cipher, plain, wrapped, tries)
        read, wrong = self._bot_answer(cipher, answer, nonce, anchor)
        return self._noted(callback, plain, done, status, read, wrong)

    def _bot_answer(self, cipher: Cipher, answer: bytes, nonce: str, anchor: Anchor) -> tuple[str, str]:
        if not answer:
            return "", ""
        try:
            outer: Json = json.loads(answer)
            if not (isinstance(outer.get("timestamp"), int) and outer.get("nonce") == nonce):
                return answer.decode(), "timestamp is no integer, or the nonce is not the request's"
            words = (str(outer["msgsignature"]), str(outer["timestamp"]), nonce, str(outer["encrypt"]))
            if not cipher.signed(*words):
                return answer.decode(), "the signature does not hold"
            plain = cipher.decrypt(words[3])
            self._do_bot(anchor, json.loads(plain))
        except (ValueError, KeyError, RefusalError) as no:
            return answer.decode(errors="replace"), f"{type(no).__name__}: {no}"
        return plain.decode(), ""

    def _do_bot(self, anchor: Anchor, body: Json) -> None:
        if not body:
            return
        match anchor.kind:
            case "message":
                self.bots.respond(anchor.bot, anchor.id, body)
            case "enter_chat":
                self.bots.welcome(anchor.bot, anchor.id, body)
            case "template_card_event":
                self.bots.update(anchor.bot, anchor.id, body)
            case other:
                raise RefusalError(40008, f"{other} takes no answer")

    async def _poll(self, callback: Callback, anchor: Anchor) -> None:
        """Ask for the rest of a stream until it is finished, for six minutes at most."""
        keys = ("msgid", "aibotid", "chatid", "chattype", "from")
        head = {key: anchor.body[key] for key in keys if key in anchor.body}
        while self.world.now() - anchor.at <= STREAM_WINDOW:
            going = [id_ for id_, said in anchor.streams.items() if not said.finished]
            if not going:
                return
            await asyncio.sleep(self.interval)  # noqa: TID251 - WeCom polls in real time
            await self._ask_bot(
                callback, anchor, {**head, "msgtype": "stream", "stream": {"id": going[0]}}, 1
            )

    async def close(self) -> None:
        """Ask no more."""
        for task in list(self.polling):
            task.cancel()
        await asyncio.gather(*self.polling, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    # — posting —

    async def post_raw(self, url: str, query: Mapping[str, str], body: bytes) -> httpx.Response:
        """Post anything at all, as whoever is not WeCom might."""
        return await self._client().post(url, params=dict(query), content=body, timeout=self.patience)

    def sealed(self, callback: Callback, plain: str) -> tuple[dict[str, str], str]:
        """Encrypt and sign something for a URL: gives the query and what was encrypted."""
        cipher = _cipher(callback)
        encrypted = cipher.encrypt(plain.encode())
        return self._signed(cipher, encrypted), encrypted

    async def _post(
        self,
        callback: Callback,
        cipher: Cipher,
        plain: str,
        wrapped: Callable[[str], str],
        tries: int = TRIES,
    ) -> tuple[int, int, bytes, str]:
        """Post until it is answered with 200: gives the tries, the last status, the answer, and its request's nonce."""
        status, nonce = 0, ""
        for done in range(1, tries + 1):
            encrypted = cipher.encrypt(plain.encode())
            query = self._signed(cipher, encrypted)
            nonce = query["nonce"]
            try:
                answer = await self.post_raw(callback.url, query, wrapped(encrypted).encode())
            except httpx.HTTPError:
                status = 0
                continue
            status = answer.status_code
            if status == 200:  # noqa: PLR2004
                return done, status, answer.content, nonce
        return tries, status, b"", nonce

    def _client(self) -> httpx.AsyncClient:
        """One client for all posts; WeCom comes anew each time, so no connection is kept."""
        if self._http is None:
            trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            limits = httpx.Limits(max_keepalive_connections=0)
            self._http = httpx.AsyncClient(verify=trusting_nobody, limits=limits)
        return self._http

    def _signed(self, cipher: Cipher, encrypted: str) -> dict[str, str]:
        timestamp, nonce = str(int(self.world.now())), self.world.fresh("nonce")
        return {
            "msg_signature": cipher.sign(timestamp, nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
        }

    def _noted(
        self, callback: Callback, plain: str, tries: int, status: int, answer: str, wrong: str
    ) -> Post:
        post = Post(url=callback.url, plain=plain, tries=tries, status=status, answer=answer, wrong=wrong)
        self.posts.append(post)
        return post


def _set(callback: Callback | None, whose: object) -> Callback:
    if callback is None:
        raise WorldError(f"{whose} has no callback URL: give it one, callback=Callback(url=...)")
    return callback


def _cipher(callback: Callback) -> Cipher:
    return Cipher(callback.token, callback.aes_key, callback.receive_id)
