"""The peer wechatpy, asked by lines of JSON: `python wecom_wechatpy.py`, with its own interpreter.

A line in names what is wanted and its arguments; a line out has what came of it, or `wrong`.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from typing import Any

import requests  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter  # type: ignore[import-untyped]
from wechatpy.enterprise import WeChatClient, parse_message  # type: ignore[import-not-found]
from wechatpy.enterprise.crypto import WeChatCrypto  # type: ignore[import-not-found]
from wechatpy.enterprise.replies import TextReply  # type: ignore[import-not-found]

warnings.simplefilter("ignore")
VENDOR = "https://qyapi.weixin.qq.com"


class Elsewhere(HTTPAdapter):  # type: ignore[misc] # the peer's library has no types
    """Sends to loopback what the peer has a fixed address for."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def send(self, request: Any, **rest: Any) -> Any:
        request.url = request.url.replace(VENDOR, self.base)
        with requests.Session() as session:
            return session.send(request, timeout=rest.get("timeout"))


class Peer:
    """What is asked of it, by name."""

    def __init__(self) -> None:
        self.client: Any = None
        self.base = ""

    def encrypt(self, token: str, key: str, receive_id: str, text: str, nonce: str, timestamp: str) -> Any:
        return WeChatCrypto(token, key, receive_id).encrypt_message(text, nonce, timestamp)

    def decrypt(
        self, token: str, key: str, receive_id: str, xml: str, signature: str, timestamp: str, nonce: str
    ) -> Any:
        plain = WeChatCrypto(token, key, receive_id).decrypt_message(xml, signature, timestamp, nonce)
        return plain if isinstance(plain, str) else plain.decode()

    def echo(
        self, token: str, key: str, receive_id: str, echo: str, signature: str, timestamp: str, nonce: str
    ) -> Any:
        plain = WeChatCrypto(token, key, receive_id).check_signature(signature, timestamp, nonce, echo)
        return plain if isinstance(plain, str) else plain.decode()

    def parse(self, xml: str) -> Any:
        message = parse_message(xml)
        names = (
            "id source target agent time content event location_x location_y scale label latitude longitude"
        )
        found = {name: getattr(message, name) for name in names.split() if hasattr(message, name)}
        return {"class": type(message).__name__, "type": message.type, **found}

    def reply(self, xml: str, content: str) -> Any:
        return TextReply(message=parse_message(xml), content=content).render()

    def connect(self, base: str, corp: str, secret: str) -> Any:
        self.base, self.client = base, WeChatClient(corp, secret)
        self.client.API_BASE_URL = f"{base}/cgi-bin/"
        self.client._http.mount(VENDOR, Elsewhere(base))
        return True

    def call(self, path: str, *args: Any, **kwargs: Any) -> Any:
        api, _, name = path.partition(".")
        return getattr(getattr(self.client, api), name)(*args, **kwargs)

    def upload(self, kind: str, name: str, text: str) -> Any:
        file = io.BytesIO(text.encode())
        file.name = name
        return self.client.media.upload(kind, file)

    def download(self, media_id: str) -> Any:
        address = self.client.media.get_url(media_id).replace(VENDOR, self.base)
        return requests.get(address, timeout=5).content.decode()


def main() -> None:
    peer = Peer()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said: dict[str, Any] = {
                "done": getattr(peer, asked["do"])(*asked["args"], **asked.get("named", {}))
            }
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            said = {"wrong": type(error).__name__, "errcode": getattr(error, "errcode", None)}
        print(json.dumps(said, ensure_ascii=False, default=str), flush=True)  # noqa: T201 - whoever asked reads it


if __name__ == "__main__":
    main()
