"""Our provider on top of the peer pywecomarchive and its native library; nothing leaves the loopback.

`python wecom_finance_sdk.py <a port on which nobody listens>`, with the peer's interpreter and our packages in its
path; prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from groupops_wecom.archive import OfNoInterest
from groupops_wecom.finance_sdk import FinanceSdk


def record(key: rsa.RSAPrivateKey, version: int) -> SimpleNamespace:
    """A record as the platform gives one, whose message nobody can decrypt."""
    random_key = base64.b64encode(key.public_key().encrypt(b"0" * 32, padding.PKCS1v15())).decode()
    fields = {"seq": 7, "msgid": "M", "publickey_ver": version, "encrypt_random_key": random_key}
    return SimpleNamespace(**fields, encrypt_chat_msg=base64.b64encode(bytes(96)).decode())


async def main(port: str) -> None:
    ours = rsa.generate_private_key(65537, 2048)
    pem = ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    sdk = FinanceSdk("wwCORP", "SECRET", {1: pem, 2: "no key"}, proxy=f"http://127.0.0.1:{port}")
    said: dict[str, str] = {}
    try:
        async for _ in sdk.read(0):
            pass
    except Exception as error:  # noqa: BLE001 - which one is the question
        said["pull"] = f"{type(error).__name__} {error!r}"
    for name, one in {
        "nonsense": record(ours, 1),
        "another's": record(rsa.generate_private_key(65537, 2048), 1),
        "no key": record(ours, 2),
        "not there": record(ours, 3),
    }.items():
        try:
            content = sdk._message(one).content
            said[name] = content.why if isinstance(content, OfNoInterest) else "read"
        except Exception as error:  # noqa: BLE001 - as above
            said[name] = f"{type(error).__name__} {error!r}"
    await sdk.close()
    print(json.dumps(said))  # noqa: T201 - whoever asked reads it


asyncio.run(main(sys.argv[1]))
