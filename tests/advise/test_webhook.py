"""What a program on the same machine pushes is laid into an inbox: only by who knows the token, and never too much."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from groupops.advise.webhook import MAX_BODY, Webhook
from groupops.clock import SystemClock
from groupops.config import load_config
from groupops.errors import ConfigError

TOKEN = "0123456789abcdef"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "inbox" / "staff").mkdir(parents=True)
    app = FastAPI()
    app.mount("/groupops/inbox", Webhook(tmp_path / "inbox", TOKEN, SystemClock()))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it by nothing else
            await asyncio.sleep(0.01)
        port = listening.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/groupops/inbox") as client:
            yield client
        server.should_exit = True
        await running


@pytest.fixture
def staff(tmp_path: Path) -> Path:
    return tmp_path / "inbox" / "staff"


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_push_with_the_token_is_laid_into_the_inbox_as_it_came(
    door: httpx.AsyncClient, staff: Path
) -> None:
    answers = [await door.post("/staff", content=b'{"messages": []}', headers=KNOWN) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    files = [staff / name for name in names_in(staff)]
    assert [path.suffix for path in files] == [".json", ".json"]
    assert files[0].read_bytes() == b'{"messages": []}'


async def test_a_program_that_knows_only_an_address_shows_the_token_as_a_password(
    door: httpx.AsyncClient, staff: Path
) -> None:
    answer = await door.post("/staff", content=b"{}", auth=("push", TOKEN))

    assert answer.status_code == 202
    assert len(names_in(staff)) == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer 0123456789abcdeX",
        f"Token {TOKEN}",
        "Basic !!!",
        "Basic eDp5",
        f"Bearer {TOKEN}x",
    ],
)
async def test_without_the_token_nothing_is_laid_anywhere(
    door: httpx.AsyncClient, staff: Path, header: str
) -> None:
    answer = await door.post("/staff", content=b"{}", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert names_in(staff) == []


@pytest.mark.parametrize("path", ["/", "/nobody", "/..", "/..%2f..%2fetc", "/staff/more", "/.hidden"])
async def test_only_an_inbox_that_is_there_is_laid_into(
    door: httpx.AsyncClient, path: str, tmp_path: Path
) -> None:
    answer = await door.post(path, content=b"{}", headers=KNOWN)

    assert answer.status_code in {404, 405}
    assert names_in(tmp_path) == []


async def test_too_large_a_push_is_turned_away_with_and_without_a_stated_length(
    door: httpx.AsyncClient, staff: Path
) -> None:
    async def unstated() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 1):
            yield b"x" * 65536

    stated = await door.post("/staff", content=b"x" * (MAX_BODY + 1), headers=KNOWN)
    flowing = await door.post("/staff", content=unstated(), headers=KNOWN)

    assert (stated.status_code, flowing.status_code) == (413, 413)
    assert names_in(staff) == []


async def test_nothing_is_read_from_an_inbox(door: httpx.AsyncClient) -> None:
    answer = await door.get("/staff", headers=KNOWN)

    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize("token", ["", "short"])
def test_a_door_that_anybody_opens_is_not_opened(token: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the token has"):
        Webhook(tmp_path, token, SystemClock())
    with pytest.raises(ConfigError, match="GROUPOPS_INBOX_TOKEN"):
        load_config({"GROUPOPS_INBOX_DIR": str(tmp_path), "GROUPOPS_INBOX_TOKEN": token})
