"""The peer of `bench.wecom`, with its own interpreter: prints the µs of CPU that wechatpy takes for one of the posts."""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from pathlib import Path

from wechatpy.enterprise import parse_message  # type: ignore[import-not-found]
from wechatpy.enterprise.crypto import WeChatCrypto  # type: ignore[import-not-found]

warnings.simplefilter("ignore")


def main(path: str, token: str, key: str, corp: str) -> float:
    """Decrypt and parse every post of a file, after a tenth of them for warmth; gives the µs for one."""
    posts, crypto = json.loads(Path(path).read_text("utf-8")), WeChatCrypto(token, key, corp)
    for query, body in posts[: len(posts) // 10]:
        parse_message(
            crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        )
    gc.collect()
    begun = time.process_time()
    for query, body in posts:
        parse_message(
            crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        )
    return (time.process_time() - begun) / len(posts) * 1e6


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
