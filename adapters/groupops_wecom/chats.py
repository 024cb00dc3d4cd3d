"""Groups an app has made itself (`appchat`): who is in them, who is put out, and what is said there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groupops_wecom.budget import Claim
from groupops_wecom.lenient import Recent, table, text, whole, words
from groupops_wecom.letters import AnyContent, Markdown, MiniProgram, TemplateCard, Words, body_of
from groupops_wecom.qyapi import QyApi
from groupops_wecom.templates import Unfit

FEWEST, MOST = 2, 2_000
"""Members of a group."""

LONGEST_NAME = 50
"""Characters of a group's name."""

REMEMBERED = 5_000

_CHAT_ID = re.compile(r"[0-9A-Za-z]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A group as the platform has it.

    Args:
        chat_id: its id.
        name: its name.
        owner: user id of its owner.
        members: user ids, the owner among them.
        kind: 0 for an ordinary group; None when it is not told.
    """

    chat_id: str
    name: str
    owner: str
    members: tuple[str, ...]
    kind: int | None = None


class Chats:
    """The groups of one app.

    Args:
        api: the enterprise's interfaces.
        agent_id: the app.
    """

    def __init__(self, api: QyApi, agent_id: int) -> None:
        self._api = api
        self._app = f"{api.corp_id}:{agent_id}"
        self._sizes: Recent[str, int] = Recent(REMEMBERED)

    async def create(self, name: str, owner: str, members: Sequence[str], chat_id: str = "") -> str:
        """Make a group; nobody sees it before the first message.

        Args:
            name: its name.
            owner: user id of its owner.
            members: user ids, 2 to 2000 with the owner.
            chat_id: an id of one's own, 1 to 32 letters and digits; by the platform's choice when it is empty.

        Returns:
            The group's id.

        Raises:
            Unfit: the platform would refuse it.
            ActionFailed: it refused it.
            InDoubt: the answer was lost; a second group would be made if it were asked again.
        """
        everybody = list(dict.fromkeys((owner, *members)))
        faults = [*_name(name), *_id(chat_id)]
        if not FEWEST <= len(everybody) <= MOST:
            faults.append(f"userlist has {FEWEST} to {MOST} members, not {len(everybody)}")
        if not owner:
            faults.append("owner is empty")
        if faults:
            raise Unfit("the group", faults)
        body = {"name": name, "owner": owner, "userlist": everybody} | (
            {"chatid": chat_id} if chat_id else {}
        )
        answer = await self._api.call(
            "appchat/create", body, claims=(Claim("appchat_create", self._api.corp_id),)
        )
        made = text(answer.get("chatid")) or chat_id
        self._sizes.put(made, len(everybody))
        return made

    async def get(self, chat_id: str) -> Chat:
        """Give a group.

        Raises:
            ActionFailed: there is none, or it is not the app's own (86003, 86008).
        """
        answer = await self._api.call("appchat/get", params={"chatid": chat_id}, method="GET")
        found = table(answer.get("chat_info"))
        chat = Chat(
            chat_id=text(found.get("chatid")) or chat_id,
            name=text(found.get("name")),
            owner=text(found.get("owner")),
            members=words(found.get("userlist")),
            kind=whole(found.get("chat_type")),
        )
        self._sizes.put(chat_id, len(chat.members))
        return chat

    async def update(
        self,
        chat_id: str,
        *,
        name: str = "",
        owner: str = "",
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Change a group; what is not given stays.

        Args:
            chat_id: the group.
            name: its new name.
            owner: its new owner; there must be one when the present owner is removed.
            add: who comes in.
            remove: who is put out.

        Raises:
            Unfit: nothing is changed, or somebody comes in and is put out at once.
            ActionFailed: the platform refused it.
        """
        faults = list(_name(name)) if name else []
        if both := sorted(set(add) & set(remove)):
            faults.append(f"{', '.join(both)} cannot be added and removed at once")
        if owner and owner in remove:
            faults.append("the new owner cannot be removed at once")
        if not (name or owner or add or remove):
            faults.append("nothing is to be changed")
        if faults:
            raise Unfit("the change", faults)
        wanted = {"name": name, "owner": owner, "add_user_list": list(add), "del_user_list": list(remove)}
        body = {"chatid": chat_id} | {key: value for key, value in wanted.items() if value}
        await self._api.call("appchat/update", body, claims=(Claim("appchat_update", self._api.corp_id),))
        if add or remove:
            self._sizes.drop(chat_id)

    async def kick(self, chat_id: str, users: Sequence[str], heir: str = "") -> tuple[str, ...]:
        """Put members out; whoever is not there any more is no error.

        Args:
            chat_id: the group.
            users: user ids.
            heir: who owns the group if its owner is put out; the first who stays by default.

        Returns:
            Who was put out.

        Raises:
            Unfit: fewer than two would stay.
            ActionFailed: the platform refused it.
        """
        chat = await self.get(chat_id)
        gone = [user for user in dict.fromkeys(users) if user in chat.members]
        if not gone:
            return ()
        stay = [user for user in chat.members if user not in gone]
        if len(stay) < FEWEST:
            raise Unfit(
                "the change", [f"{len(stay)} would stay in the group; it has at least {FEWEST} members"]
            )
        owner = (heir or stay[0]) if chat.owner in gone else ""
        await self.update(chat_id, owner=owner, remove=gone)
        return tuple(gone)

    async def send(self, chat_id: str, content: AnyContent, mentioned: Sequence[str] = ()) -> None:
        """Say something; it cannot be taken back, for the platform gives it no id.

        Args:
            chat_id: the group.
            content: what is said; `<@userid>` in text and Markdown mentions a member.
            mentioned: user ids to be mentioned, `@all` for everybody; with text only.

        Raises:
            Unfit: it is a card, which groups do not take, or the platform would refuse it.
            ActionFailed: the platform refused it.
            Throttled: too often; nothing was sent.
            InDoubt: it was sent, the answer was lost, and it may not be repeated.
        """
        if isinstance(content, TemplateCard | MiniProgram):
            raise Unfit(f"the {content.msgtype}", ["a group of an app takes none; send it to its members"])
        body: dict[str, Any] = {"chatid": chat_id, **body_of(content), "safe": 0}
        if mentioned and isinstance(content, Words):
            body["text"]["mentioned_list"] = list(dict.fromkeys(mentioned))
        elif mentioned and not isinstance(content, Markdown):
            raise Unfit(f"the {content.msgtype}", ["only words can mention somebody"])
        elif mentioned:
            raise Unfit("the markdown", ["it mentions by <@userid> within the words"])
        persons = self._sizes.get(chat_id) or len((await self.get(chat_id)).members)
        await self._api.call("appchat/send", body, claims=self.claims(persons))

    def claims(self, persons: int) -> tuple[Claim, ...]:
        """Give what a message to so many uses up."""
        return (
            Claim("appchat_persons", self._api.corp_id, max(persons, 1)),
            Claim("appchat_app", self._app),
        )


def difference(before: Chat, after: Chat) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give who came and who went: the platform tells of neither."""
    came = tuple(user for user in after.members if user not in before.members)
    return came, tuple(user for user in before.members if user not in after.members)


def _name(name: str) -> Sequence[str]:
    return () if 1 <= len(name) <= LONGEST_NAME else (f"name has 1 to {LONGEST_NAME} characters",)


def _id(chat_id: str) -> Sequence[str]:
    if not chat_id or _CHAT_ID.fullmatch(chat_id):
        return ()
    return ("chatid has 1 to 32 of the characters 0-9 A-Z a-z",)
