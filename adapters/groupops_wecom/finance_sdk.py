"""The message archive straight from the platform, by way of `pywecomarchive`, where that is installed.

The library brings a closed one of the platform's own; its licence is a matter of whoever installs it. Nothing of it is
imported before the first reading. That closed library was seen to end the whole process when a message it is given is
only a dozen bytes long; whoever cannot live with that writes JSON lines with it elsewhere, and reads them (`jsonl`).
"""

from __future__ import annotations

import asyncio
import base64
import importlib
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from groupops_wecom.archive import Archived, read_message, unreadable
from groupops_wecom.budget import Budget, Claim, Throttled
from groupops_wecom.clockwork import Clockwork
from groupops_wecom.exception import ActionFailed, ConfigFault, NetworkError

AT_ONCE = 1_000
"""Messages in one pull."""

WITHIN = 20
"""Seconds in which an answer must come."""

AGAIN = frozenset({10001, 10002, 10003})
"""Codes of the library after which the same may be asked again: network, parsing, system call."""

HINTS: Mapping[int, str] = MappingProxyType(
    {
        10000: "a parameter is wrong",
        10005: "there is no such file",
        10006: "it cannot be decrypted",
        10008: "the key does not fit the message",
        10009: "the address this server calls from is not trusted: add it to the archive's list",
        10010: "the messages are older than five days and gone",
        10011: "the certificate is not accepted",
    }
)

_LIBRARY = "pywecomarchive"


class FinanceSdk:
    """Pulls archived messages and decrypts them.

    Args:
        corp_id: the enterprise.
        secret: of the archive.
        keys: version → RSA private key in PEM, as they were registered in the console.
        proxy: address of an HTTP proxy; empty for none.
        budget: the counters.
        clock: the time of day.
    """

    def __init__(
        self,
        corp_id: str,
        secret: str,
        keys: Mapping[int, str],
        *,
        proxy: str = "",
        budget: Budget | None = None,
        clock: Clockwork | None = None,
    ) -> None:
        self._corp_id = corp_id
        self._secret = secret
        self._keys = dict(keys)
        self._proxy = proxy
        self._budget = Budget((clock or Clockwork()).now) if budget is None else budget
        self._one_at_a_time = asyncio.Lock()
        self._sdk: Any = None
        self._anything: Any = None

    def __repr__(self) -> str:
        return f"FinanceSdk({self._corp_id!r})"

    async def read(self, after: int) -> AsyncIterator[Archived]:
        """Give what stands behind a place; see `archive.Provider`. At most a thousand at a time.

        Raises:
            ConfigFault: the library is not installed, or a private key is missing or is none.
            NetworkError: nothing could be pulled; asked again, the same is given.
            Throttled: more than 4000 pulls a minute.
            ActionFailed: the platform refused.
        """
        async with self._one_at_a_time:  # the library promises nothing about two calls at once
            found = await asyncio.to_thread(self._pulled, after)
        for message in found:
            yield message

    async def close(self) -> None:
        """Let go of what the library holds."""
        async with self._one_at_a_time:
            if self._sdk is not None:
                await asyncio.to_thread(self._sdk.close)
                self._sdk = None

    def _pulled(self, after: int) -> list[Archived]:
        wait = self._budget.take((Claim("archive", self._corp_id),))
        if wait > 0:
            raise Throttled("archive", wait)
        sdk = self._opened()
        records = self._asked(lambda: sdk.get_chat_data(after, AT_ONCE).chatdata)
        return [self._message(record) for record in records]

    def _message(self, record: Any) -> Archived:
        key = self._key_of(record)
        if key is None:
            return unreadable(record.seq, "its key cannot be decrypted")
        try:
            raw = self._sdk.decrypt_data(key, record.encrypt_chat_msg, adapter=self._anything)
        except self._library.SdkError as error:
            return unreadable(record.seq, f"it cannot be decrypted: {type(error).__name__}")
        return read_message(raw, record.seq)

    def _key_of(self, record: Any) -> str | None:
        from cryptography.hazmat.primitives.asymmetric import padding

        try:
            encrypted = base64.b64decode(record.encrypt_random_key)
            return str(
                self._private_key(record.publickey_ver).decrypt(encrypted, padding.PKCS1v15()).decode()
            )
        except ValueError:
            return None

    def _private_key(self, version: int) -> Any:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if version not in self._keys:
            raise ConfigFault((f"the archive's private key of version {version} is missing; add it",))
        try:
            return load_pem_private_key(self._keys[version].encode(), password=None)
        except (ValueError, TypeError):
            text = f"the archive's private key of version {version} is no RSA key in PEM without password"
            raise ConfigFault((text,)) from None

    @property
    def _library(self) -> Any:
        try:
            return importlib.import_module(_LIBRARY)
        except ImportError:
            hint = f"the archive needs {_LIBRARY}, which is not installed: pip install {_LIBRARY}, or read JSON lines"
            raise ConfigFault((hint,)) from None

    def _opened(self) -> Any:
        if self._sdk is None:
            library = self._library
            from pydantic import TypeAdapter

            self._anything = TypeAdapter(dict[str, Any])
            self._sdk = self._asked(
                lambda: library.WecomArchiveSdk(
                    self._corp_id, self._secret, proxy=self._proxy, timeout=WITHIN
                )
            )
        return self._sdk

    def _asked(self, doing: Any) -> Any:
        """Call the library; its errors as ours."""
        library = self._library
        try:
            return doing()
        except library.SdkCallError as error:
            code = int(error.code)
        except library.SdkError as error:
            raise ConfigFault(
                (f"{_LIBRARY}: {type(error).__name__}; is its native library there?",)
            ) from None
        if code in AGAIN:
            raise NetworkError(f"archive: {code}; nothing was pulled")
        raise ActionFailed("archive", code, HINTS.get(code, "the library refused"))
