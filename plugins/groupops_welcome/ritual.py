"""The ritual: who comes in is greeted with the others, gets the rules, owes a checklist, and is let go at its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from groupops import (
    AskStewards,
    Capability,
    DirectMessage,
    Errand,
    Member,
    MemberJoined,
    MemberLeft,
    MemberRenamed,
    ObligationMissed,
    OpenObligation,
    Option,
    SendText,
    SettleObligation,
)
from groupops_welcome import newcomers
from groupops_welcome.card import settles
from groupops_welcome.checklist import (
    UNDONE,
    ItemKind,
    Items,
    checklist,
    done_titles,
    kept,
    kind_of,
    places,
    with_state,
)
from groupops_welcome.models import Newcomer
from groupops_welcome.newcomers import AGAIN, BACK, GREETED, GUEST, NEW, PASSED, STALE, WAITING, items_of
from groupops_welcome.scene import Answers, Scene, name_of
from groupops_welcome.showing import rules_line, whole_text
from groupops_welcome.templates import without

GREET, FOLLOW, GUESTS = "greet", "follow", "guests"
"""The jobs this plugin wakes itself for."""

SUBJECT = "welcome:rules"
"""What the button 已读 is about."""

READ = "已读"


def key_of(row: Newcomer, place: int) -> str:
    """Give the key of the obligation for one line of a newcomer's checklist."""
    return f"welcome/{row.id}/{place}"


def exempt(scene: Scene, member: Member) -> bool:
    """Say whether somebody is no newcomer to be led: a bot, or one who leads here."""
    _, _, native = member.account.partition(":")
    if not {member.account, native}.isdisjoint(scene.settings.bots):
        return True
    roles = {member.role.value, *member.org_roles, *(("steward",) if member.steward else ())}
    return not roles.isdisjoint(scene.settings.exempt_roles)


# — coming and going —


async def joined(scene: Scene, event: MemberJoined) -> Answers | None:
    """Put a newcomer down, to be greeted with all who come within the window."""
    member = scene.member(event.account)
    if exempt(scene, member):
        return None
    wake = scene.wake(GREET, scene.now + scene.settings.batch_window)
    if not scene.group.stage.books:
        return [wake]  # only noted, and nobody is put down who would be greeted once the rules apply
    last = await newcomers.last_stay(scene.group_id, event.account)
    if last is None or last.joined_by != event.id:
        met = _met(scene, event, last)
        if met is None:
            return None
        await _put_down(scene, event, member, met, last)
    return [wake]


def _met(scene: Scene, event: MemberJoined, last: Newcomer | None) -> str | None:
    """Say how a newcomer is met; None when it is one who is there already, told of a second time."""
    if last is None or (last.left_at is not None and last.state in (WAITING, PASSED, GUEST)):
        return NEW
    recent = timedelta(hours=scene.settings.rejoin_hours)
    if last.left_at is None:
        # Not everywhere is a leave told: long after, it is a return; soon after, the same join once more.
        return BACK if event.at - last.joined_at > max(recent, timedelta(hours=1)) else None
    return AGAIN if event.at - last.left_at <= recent else BACK


async def _put_down(
    scene: Scene, event: MemberJoined, member: Member, met: str, last: Newcomer | None
) -> None:
    done = items_of(last) if last is not None else ()
    if last is not None and last.left_at is None:
        last.left_at = event.at.astimezone(UTC)
        last.state = PASSED if last.state in (WAITING, GUEST) else last.state
        await last.save(update_fields=["left_at", "state"])
    await Newcomer.create(
        group_id=scene.group_id,
        account=event.account,
        nickname=event.name or member.name,
        inferred=event.inferred,
        met=met,
        joined_by=event.id,
        joined_at=event.at.astimezone(UTC),
        state=WAITING,
        items=kept(tuple(item for item in done if item.state == "done")),
    )


async def left(scene: Scene, event: MemberLeft) -> Answers | None:
    """Who leaves is greeted no more, and owes nothing more."""
    row = await newcomers.stay(scene.group_id, event.account)
    if row is None:
        return None
    items = items_of(row)
    over = places(items, "rules", "card", "item")
    row.left_at = event.at.astimezone(UTC)
    row.state = PASSED if row.state in (WAITING, GUEST) else row.state
    row.follow_at = None
    row.items = kept(with_state(items, over, "cancelled"))
    await row.save(update_fields=["left_at", "state", "follow_at", "items"])
    return [_settled(scene, row, place, "cancelled") for place in over]


async def renamed(scene: Scene, event: MemberRenamed) -> Answers | None:
    """A new card may be what a newcomer still owed."""
    row = await newcomers.stay(scene.group_id, event.account)
    if row is None or row.state != GREETED:
        return None
    member = scene.member(event.account)
    if not settles(event.new, member, row.nickname, scene.view.card):
        return None
    return await settle(scene, row, places(items_of(row), "card", states=UNDONE))


async def settle(scene: Scene, row: Newcomer, done: Sequence[int]) -> Answers:
    """Put down lines of a checklist as done."""
    if not done:
        return []
    await newcomers.put_items(row, with_state(items_of(row), done, "done"))
    return [_settled(scene, row, place, "satisfied") for place in done]


def _settled(scene: Scene, row: Newcomer, place: int, how: str) -> Errand:
    key = key_of(row, place)
    if how == "cancelled":
        return SettleObligation(group_id=scene.group_id, key=key, how="cancelled")
    return SettleObligation(group_id=scene.group_id, key=key)


async def missed(scene: Scene, event: ObligationMissed) -> None:
    """A line ends undone: that is put down, and nothing follows from it."""
    row = await newcomers.stay(scene.group_id, event.account or "")
    if row is None:
        return
    kind = event.obligation_kind.partition(".")[2]
    items = items_of(row)
    over = tuple(place for place in places(items, "rules", "card", "item") if items[place].kind == kind)
    await newcomers.put_items(row, with_state(items, over, "missed"))


# — greeting —


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A newcomer about to be greeted: the row, and the member as known now."""

    row: Newcomer
    member: Member

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.row.account


async def greet(scene: Scene) -> Answers | None:
    """Greet all who wait, in one message; in quiet hours, put it off until they end."""
    until = scene.speaks_at(scene.now)
    if until > scene.now:
        return [scene.wake(GREET, until)]
    rows = await newcomers.to_greet(scene.group_id, scene.event.id)
    return await _greet(scene, [Arrival(row=row, member=scene.member(row.account)) for row in rows])


async def _greet(scene: Scene, waiting: list[Arrival]) -> Answers:
    late = [g for g in waiting if _too_late(scene, g) or exempt(scene, g.member)]
    await newcomers.pass_over([g.row for g in late])
    there = [g for g in waiting if g not in late]
    introduced = [g for g in there if g.row.intro]
    honoured = [g for g in there if not g.row.intro and _is_awaited(scene, g)]
    led = [g for g in there if g not in introduced and g not in honoured]
    answers: Answers = []
    for guest in introduced:
        answers += await _introduced(scene, guest)
    for guest in honoured:
        answers += await _await_introduction(scene, guest)
    bulk = [g for g in led if g.row.inferred]
    if len(bulk) > scene.settings.bulk_limit:
        answers += await _in_bulk(scene, bulk)
        led = [g for g in led if not g.row.inferred]
    return answers + await _led(scene, led)


def _too_late(scene: Scene, guest: Arrival) -> bool:
    return scene.now - guest.row.joined_at > STALE


def _is_awaited(scene: Scene, guest: Arrival) -> bool:
    role = scene.settings.vip_intro_role
    asked_before = guest.row.wait_until is not None and guest.row.state != GUEST
    return bool(role) and role in guest.member.org_roles and not asked_before


async def _in_bulk(scene: Scene, bulk: list[Arrival]) -> Answers:
    """Many at once that only a list told of: a word for all, and none at all when it is most of the group."""
    members = scene.tools.people.members(scene.group_id)
    if 2 * len(bulk) >= len(members):
        await newcomers.pass_over([g.row for g in bulk])
        scene.tools.log.info("a list brought most of a group", group=scene.group_id, members=len(bulk))
        return []
    for guest in bulk:
        await _mark(scene, guest.row, ())
    if Capability.SEND_TEXT not in scene.can:
        return []
    return [scene.post(scene.say("bulk", count=len(bulk), rules=rules_line(scene)))]


async def _led(scene: Scene, led: list[Arrival]) -> Answers:
    """Greet by name, send the rules and open the checklists."""
    if not led:
        return []
    greeted = [g for g in led if g.row.met != AGAIN]
    if Capability.SEND_TEXT not in scene.can:
        for guest in led:
            await _mark(scene, guest.row, ())
        return _by_hand(scene, greeted)
    answers: Answers = [_greeting(scene, greeted)] if greeted else []
    owed = [(guest, await _owes(scene, guest)) for guest in led]
    for guest, items in owed:
        answers += _obligations(scene, guest.row, items)
    for guest in greeted:
        answers += _rules(scene, guest)
    if any(guest.row.follow_at is not None for guest, _ in owed):
        answers.append(scene.wake(FOLLOW, scene.speaks_at(scene.now + scene.settings.followup)))
    return answers


def _by_hand(scene: Scene, greeted: list[Arrival]) -> Answers:
    if not greeted:
        return []
    return [AskStewards(group_id=scene.group_id, text=scene.say("by_hand", names=names_of(scene, greeted)))]


def names_of(scene: Scene, guests: Sequence[Arrival]) -> str:
    """Give newcomers' names, so many as may be said."""
    shown = [name_of(g.member, scene.say("nobody")) for g in guests[: scene.settings.name_limit]]
    names = scene.say("joint").join(shown)
    return scene.say("and_more", names=names, count=len(guests)) if len(guests) > len(shown) else names


def _greeting(scene: Scene, guests: list[Arrival]) -> SendText:
    fresh = [g for g in guests if g.row.met == NEW]
    back = [g for g in guests if g.row.met == BACK]
    lines: list[str] = []
    if fresh:
        lines.append(_filled(scene, names_of(scene, fresh)))
    if back:
        lines.append(scene.say("back", name=names_of(scene, back), rules=rules_line(scene)))
    named = [*fresh[: scene.settings.name_limit], *back[: scene.settings.name_limit]]
    mentions = [
        g.account for g in named if name_of(g.member, "")
    ]  # a mention would say an advert all the same
    asks = bool(fresh) and _asks_to_read(scene)
    if asks:
        lines.append(scene.say("confirm"))
    post = scene.post("\n".join(filter(None, lines)), mentions)
    return replace(post, options=_options(scene), subject=SUBJECT) if asks else post


def _asks_to_read(scene: Scene) -> bool:
    return any(kind_of(title) == "rules" for title in scene.settings.checklist)


def _filled(scene: Scene, names: str) -> str:
    """Fill the template; the sentence about cards is left out where nothing is asked of them."""
    template = scene.settings.template
    if not scene.view.card.asked:
        template = without(template, "format_hint")
    if not scene.view.book.articles:
        template = without(template, "rules")
    values = {"format_hint": scene.view.card.hint, "rules": rules_line(scene), "name": names}
    for slot, value in values.items():
        template = template.replace(f"{{{slot}}}", value)
    return template


def _options(scene: Scene) -> tuple[Option, ...]:
    return (Option(word=READ, label=scene.say("read_label")),)


async def _owes(scene: Scene, guest: Arrival) -> Items:
    """Give a newcomer's checklist and put it down with the greeting."""
    row, member = guest.row, guest.member
    if row.greeted_by == scene.event.id:
        return items_of(row)
    done = set(done_titles(items_of(row)))
    items = checklist(
        scene.settings.checklist, cards_asked=scene.view.card.asked, cards_seen=scene.sees_cards, done=done
    )
    if settles(member.card, member, row.nickname, scene.view.card):
        items = with_state(items, places(items, "card"), "done")
    await _mark(scene, row, items)
    return items


async def _mark(scene: Scene, row: Newcomer, items: Items) -> None:
    row.state, row.greeted_by, row.greeted_at = GREETED, scene.event.id, scene.now
    row.items = kept(items)
    remind = scene.settings.followups > 0 and bool(to_remind_of(items))
    row.follow_at = scene.speaks_at(scene.now + scene.settings.followup) if remind else None
    await row.save()


def to_remind_of(items: Items) -> tuple[str, ...]:
    """Give the titles a reminder speaks of; a card alone is the roster's to remind of, so it gets none."""
    if not places(items, "rules", "item"):
        return ()
    return tuple(items[place].title for place in places(items, "rules", "item", "card"))


def _obligations(scene: Scene, row: Newcomer, items: Items) -> Iterable[Errand]:
    """Open what is owed. It is reminded of by us, all lines in one message, and ends without consequences."""
    greeted = row.greeted_at or scene.now
    for place in places(items, "rules", "card", "item"):
        item = items[place]
        yield OpenObligation(
            group_id=scene.group_id,
            account=scene.member(row.account).account,
            obligation_kind=f"welcome.{item.kind}",
            title=item.title,
            key=key_of(row, place),
            due_at=greeted + scene.settings.until_end,
            options=_options(scene) if item.kind == "rules" else (),
            excuse_hours=0,
            private=True,
        )


def _rules(scene: Scene, guest: Arrival) -> Iterable[DirectMessage]:
    """Send the whole text where letters can be sent; where they cannot, the greeting has said how to ask."""
    if scene.settings.send_rules != "direct" or Capability.DIRECT_MESSAGE not in scene.can:
        return
    texts = whole_text(scene, scene.say("read_it"))
    for number, text in enumerate(texts, start=1):
        letter = scene.letter(guest.account, text)
        last = number == len(texts)
        yield replace(letter, options=_options(scene), subject=SUBJECT) if last else letter


# — guests of honour —


async def _await_introduction(scene: Scene, guest: Arrival) -> Answers:
    """Ask the stewards for an introduction; without one the guest is greeted like anybody after a while."""
    row = guest.row
    until = scene.speaks_at(scene.now + timedelta(hours=scene.settings.vip_wait_hours))
    row.state, row.wait_until, row.greeted_by = GUEST, until, scene.event.id
    await row.save(update_fields=["state", "wait_until", "greeted_by"])
    name = name_of(guest.member, scene.say("nobody"))
    text = scene.say(
        "introduce", name=name, role=scene.settings.vip_intro_role, hours=scene.settings.vip_wait_hours
    )
    return [AskStewards(group_id=scene.group_id, text=text), scene.wake(GUESTS, until)]


async def unintroduced(scene: Scene) -> Answers | None:
    """Greet the guests for whom no introduction came."""
    rows = await newcomers.guests_waited_for(scene.group_id, scene.now)
    for row in rows:
        row.state = WAITING
        await row.save(update_fields=["state"])
    return await greet(scene)


async def _introduced(scene: Scene, guest: Arrival) -> Answers:
    """Post an introduction that was written while the group was at rest."""
    await _mark(scene, guest.row, ())
    return [introduction(scene, guest.member, guest.row.intro)]


def introduction(scene: Scene, member: Member, text: str) -> SendText:
    """Introduce somebody in the group by a steward's words."""
    name = name_of(member, scene.say("nobody"))
    return scene.post(scene.say("introduction", name=name, text=text), (member.account,))


async def introduce(scene: Scene, account: str, text: str) -> Answers:
    """Take a steward's introduction: posted now, or when the rest is over."""
    if len(text) > scene.settings.portion_chars:
        limit = scene.settings.portion_chars
        return [scene.answer(scene.say("introduction_long", limit=limit, count=len(text)))]
    member = scene.member(account)
    row = await newcomers.stay(scene.group_id, account)
    waits = row is not None and row.state in (WAITING, GUEST)
    until = scene.speaks_at(scene.now)
    if until > scene.now:
        return await _keep_introduction(scene, row if waits else None, text)
    if row is not None and waits:
        row.intro = text
        await _mark(scene, row, ())
    posted: Answers = [introduction(scene, member, text)]
    private = getattr(scene.event, "private", False)
    return [*posted, scene.answer(scene.say("introduction_posted"))] if private else posted


async def _keep_introduction(scene: Scene, row: Newcomer | None, text: str) -> Answers:
    if row is None:
        return [scene.answer(scene.say("introduction_at_rest"))]
    row.state, row.intro = WAITING, text
    await row.save(update_fields=["state", "intro"])
    until = scene.speaks_at(scene.now)
    return [scene.wake(GREET, until), scene.answer(scene.say("introduction_kept"))]


# — following up —


async def follow(scene: Scene) -> Answers | None:
    """Remind of what is still open, all of one newcomer's lines in one letter; the last reminder is the last word."""
    until = scene.speaks_at(scene.now)
    if until > scene.now:
        return [scene.wake(FOLLOW, until)]
    rows = await newcomers.to_remind(scene.group_id, scene.event.id, scene.now)
    slow = [row for row in rows if to_remind_of(items_of(row))]
    for row in rows:
        await _followed(scene, row)
    again = max((row.follow_at for row in rows if row.follow_at is not None), default=None)
    return [*_reminders(scene, slow), *([scene.wake(FOLLOW, again)] if again is not None else [])]


async def _followed(scene: Scene, row: Newcomer) -> None:
    if row.followed_by == scene.event.id:
        return
    row.followed, row.followed_by = row.followed + 1, scene.event.id
    more = row.followed < scene.settings.followups
    row.follow_at = scene.speaks_at(scene.now + scene.settings.followup) if more else None
    await row.save(update_fields=["followed", "followed_by", "follow_at"])


def _reminders(scene: Scene, slow: list[Newcomer]) -> Answers:
    if not slow:
        return []
    if Capability.DIRECT_MESSAGE not in scene.can:
        guests = [Arrival(row=row, member=scene.member(row.account)) for row in slow]
        return [
            scene.post(scene.say("follow_group", names=names_of(scene, guests)), [g.account for g in guests])
        ]
    return [_reminder(scene, row) for row in slow]


def _reminder(scene: Scene, row: Newcomer) -> DirectMessage:
    name = name_of(scene.member(row.account), scene.say("nobody"))
    items = items_of(row)
    lines = "\n".join(scene.say("follow_line", title=title) for title in to_remind_of(items))
    letter = scene.letter(
        row.account,
        scene.say("follow", name=name, items=lines, how=how_to_settle(scene, items)),
        scene.say("follow_neutral", name=name),
    )
    return replace(letter, options=_options(scene), subject=SUBJECT) if places(items, "rules") else letter


def how_to_settle(scene: Scene, items: Items) -> str:
    """Say by which words what is open is settled."""
    keys: tuple[tuple[ItemKind, str], ...] = (
        ("rules", "how_read"),
        ("item", "how_done"),
        ("card", "how_card"),
    )
    return "".join(scene.say(key) for kind, key in keys if places(items, kind))
