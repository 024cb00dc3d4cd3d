"""WeCom's own cipher: what is posted to a callback URL, what is answered there, and the media of AI bots."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32
"""WeCom pads to 32 bytes, not to AES's 16 (protocol sheet 5)."""

_RANDOM = 16
_LENGTH = 4
_LEAST = 2 * _RANDOM
_KEY = 32

_PADS = tuple(bytes([lacking]) * lacking for lacking in range(BLOCK + 1))


class CryptoError(ValueError):
    """What was sent is not from WeCom, or was damaged on the way.

    Args:
        code: WeCom's own number for it, as its libraries have it.
        why: what does not hold; nothing of what was sent.
    """

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{why} ({code})")
        self.code = code
        self.why = why


class Cipher:
    """What is shared with WeCom for one callback URL.

    Args:
        token: signs.
        aes_key: EncodingAESKey, 43 characters.
        receive_id: corp id for an app, empty for an AI bot.

    Raises:
        CryptoError: the key is none.
    """

    __slots__ = ("_cipher", "_opening", "_receive_id", "_token")

    def __init__(self, token: str, aes_key: str, receive_id: str = "") -> None:
        key = key_of(aes_key)
        self._token = token
        self._receive_id = receive_id.encode()
        self._cipher = Aes(AES(key), CBC(key[:16]))
        self._opening = self._cipher.decryptor()

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """Sign something encrypted: SHA-1 over the four texts in order (protocol sheet 5)."""
        said = "".join(sorted((self._token, timestamp, nonce, encrypted)))
        return hashlib.sha1(said.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    def signed(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bool:
        """Say whether a signature holds; how long it takes does not tell how much of it was right."""
        made = self.sign(timestamp, nonce, encrypted)
        return signature.isascii() and hmac.compare_digest(made, signature)

    def decrypt(self, encrypted: str) -> bytes:
        """Give what was encrypted.

        Raises:
            CryptoError: it is no base64, was damaged, or is meant for somebody else.
        """
        plain = self._decrypted(_bytes_of(encrypted))
        whole = len(plain) - _padding(plain)
        if whole < _LENGTH:
            raise CryptoError(-40008, "what was encrypted is too short")
        end = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
        if end > whole:
            raise CryptoError(-40008, "what was encrypted ends before its end")
        if not hmac.compare_digest(plain[end:whole], self._receive_id):
            raise CryptoError(-40005, "it is meant for another receiver")
        return plain[_LENGTH:end]

    def encrypt(self, message: bytes, random: bytes | None = None) -> str:
        """Encrypt a message; `random` are 16 bytes put before it, chosen unless given."""
        head = random if random is not None else os.urandom(_RANDOM)
        plain = head + len(message).to_bytes(_LENGTH, "big") + message + self._receive_id
        lacking = BLOCK - len(plain) % BLOCK
        worker = self._cipher.encryptor()
        done = worker.update(plain + bytes([lacking]) * lacking) + worker.finalize()
        return base64.b64encode(done).decode()

    def _decrypted(self, data: bytes) -> bytes:
        """Give what stands after the first block.

        What a block says hangs on itself and the one before. The first is WeCom's random bytes, which say nothing,
        so one decryptor does for all posts: whatever it had before, every block after the first comes out right.
        """
        if not data or len(data) % 16:
            raise CryptoError(-40007, "what was encrypted is no whole number of blocks")
        if len(data) < _LEAST:
            raise CryptoError(-40008, "what was encrypted is too short")
        return self._opening.update(data)[_RANDOM:]


def key_of(text: str) -> bytes:
    """Give the 32 bytes of a key that is written with or without padding, spare bits set or not.

    Raises:
        CryptoError: it is no key.
    """
    bare = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY:
        raise CryptoError(-40004, "the key is no EncodingAESKey")
    return key


def opened(data: bytes, aes_key: str) -> bytes:
    """Decrypt a file that an AI bot was sent.

    Args:
        data: as it was downloaded.
        aes_key: the file's key, or the bot's EncodingAESKey where files have none of their own.

    Raises:
        CryptoError: the key or the file is damaged.
    """
    key = key_of(aes_key)
    if not data or len(data) % 16:
        raise CryptoError(-40007, "the file is no whole number of blocks")
    worker = Aes(AES(key), CBC(key[:16])).decryptor()
    plain = worker.update(data) + worker.finalize()
    return plain[: len(plain) - _padding(plain)]


def closed(data: bytes, aes_key: str) -> bytes:
    """Encrypt a file as WeCom does for an AI bot; for tests of what reads it."""
    key = key_of(aes_key)
    lacking = BLOCK - len(data) % BLOCK
    worker = Aes(AES(key), CBC(key[:16])).encryptor()
    return worker.update(data + bytes([lacking]) * lacking) + worker.finalize()


def _bytes_of(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise CryptoError(-40010, "what was encrypted is no base64") from None


def _padding(plain: bytes) -> int:
    """Give how many bytes of padding there are at the end."""
    lacking = plain[-1]
    if not 1 <= lacking <= BLOCK or not plain.endswith(_PADS[lacking]):
        raise CryptoError(-40008, "the padding is none of WeCom's")
    return lacking
