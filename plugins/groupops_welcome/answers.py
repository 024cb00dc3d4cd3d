"""What members and stewards are answered: the rules, frequent questions, and their own checklist."""

from datetime import timedelta

from groupops import AccountId, ChoiceMade, CommandGiven
from groupops_welcome import newcomers
from groupops_welcome.checklist import UNDONE, Item, Items, kept, kind_of, places
from groupops_welcome.faq import lookup
from groupops_welcome.models import Newcomer
from groupops_welcome.newcomers import GREETED, WAITING, items_of
from groupops_welcome.numerals import number_of
from groupops_welcome.portions import portions
from groupops_welcome.ritual import READ, SUBJECT, how_to_settle, introduce, settle
from groupops_welcome.rulebook import Page, asked, folded
from groupops_welcome.scene import Answers, Scene, name_of
from groupops_welcome.showing import is_talk, shown, whole_text

RECENT = timedelta(days=30)
"""How far back the stewards' list of newcomers goes."""


async def commanded(scene: Scene, event: CommandGiven) -> Answers | None:
    """Answer one of this plugin's commands."""
    said = " ".join(event.args)
    match event.name:
        case "群规":
            return show_rules(scene, event, said)
        case "问":
            return [scene.answer(asked_question(scene, said))]
        case "常见问题":
            return [scene.answer(text) for text in questions(scene)]
        case "已读":
            return await confirmed(scene, AccountId(event.account), unasked=bool(said) and not event.private)
        case "已办":
            return await ticked(scene, event.account, said)
        case "清单":
            return await own_list(scene, event.account)
        case "介绍":
            return await introduce(scene, event.args[0], event.args[1])
        case "入群情况":
            return await all_lists(scene)
        case _:
            return None


async def chosen(scene: Scene, event: ChoiceMade) -> Answers | None:
    """Take the button 已读."""
    if event.subject != SUBJECT or event.word != READ:
        return None
    return await confirmed(scene, event.account, unasked=True)


def show_rules(scene: Scene, event: CommandGiven, said: str) -> Answers | None:
    """Show the regulation or what is asked of it; privately all of it at once."""
    query = asked(said)
    if not event.private and is_talk(scene, said, query):
        return None
    if event.private and isinstance(query, Page) and not said.strip() and scene.view.book.articles:
        return [scene.answer(text) for text in whole_text(scene, scene.say("ask_more"))]
    return [scene.answer(shown(scene, query))]


# — frequent questions —


def asked_question(scene: Scene, text: str) -> str:
    """Answer a question the operator listed; else name those near to it."""
    faq = scene.settings.faq
    if not faq:
        return scene.say("faq_none")
    found = lookup(text, faq, scene.settings.faq_floor)
    if found.question is not None:
        return scene.say("faq_answer", ask=found.question.ask[0], answer=found.question.answer)
    if found.near:
        named = scene.say("joint").join(f"「{question.ask[0]}」" for question in found.near)
        return scene.say("faq_near", questions=named)
    return scene.say("faq_unknown")


def questions(scene: Scene) -> tuple[str, ...]:
    """List the questions there are answers to."""
    if not scene.settings.faq:
        return (scene.say("faq_none"),)
    lines = [
        scene.say("faq_line", number=number, ask=question.ask[0])
        for number, question in enumerate(scene.settings.faq, start=1)
    ]
    return portions((scene.say("faq_head"), *lines), scene.settings.portion_chars)


# — checklists —


async def confirmed(scene: Scene, account: AccountId, *, unasked: bool) -> Answers | None:
    """Take it that somebody has read the rules; who is no newcomer gets an answer only if one was asked for."""
    row = await newcomers.stay(scene.group_id, account)
    if row is None or row.state not in (GREETED, WAITING):
        return None if unasked else [scene.answer(scene.say("no_list"))]
    name = name_of(scene.member(account), scene.say("nobody"))
    if row.state == WAITING:
        await _read_early(scene, row)
        return [scene.answer(scene.say("read_thanks", name=name))]
    items = items_of(row)
    done = places(items, "rules", states=UNDONE)
    if not done:
        return None if unasked else [scene.answer(scene.say("read_already", name=name))]
    settled = await settle(scene, row, done)
    thanks = scene.say("read_thanks", name=name) + _what_is_left(scene, items_of(row))
    return [*settled, scene.answer(thanks)]


async def _read_early(scene: Scene, row: Newcomer) -> None:
    """Put down for the greeting to come that the rules were read."""
    titles = [title for title in scene.settings.checklist if kind_of(title) == "rules"]
    row.items = kept(tuple(Item(kind="rules", title=title, state="done") for title in titles))
    await row.save(update_fields=["items"])


def _what_is_left(scene: Scene, items: Items) -> str:
    left = places(items, "rules", "card", "item")
    if not left:
        return scene.say("all_done") if items else ""
    titles = scene.say("joint").join(items[place].title for place in left)
    return scene.say("left", items=titles)


async def ticked(scene: Scene, account: str, said: str) -> Answers:
    """Tick lines off one's checklist by number, by words, or all that a word can tick off."""
    row = await newcomers.stay(scene.group_id, account)
    items = items_of(row) if row is not None else ()
    if row is None or not items:
        return [scene.answer(scene.say("no_list"))]
    meant = _meant(items, said)
    done = tuple(place for place in meant if items[place].kind != "card" and items[place].state in UNDONE)
    if done:
        settled = await settle(scene, row, done)
        titles = scene.say("joint").join(items[place].title for place in done)
        return [
            *settled,
            scene.answer(scene.say("ticked", items=titles) + _what_is_left(scene, items_of(row))),
        ]
    if any(items[place].kind == "card" for place in meant):
        return [scene.answer(scene.say("card_ticks_itself"))]
    return [scene.answer(scene.say("ticked_already" if meant else "no_line", said=said))]


def _meant(items: Items, said: str) -> tuple[int, ...]:
    """Give the places of the lines somebody means."""
    if not said.strip():
        return places(items, "item", "rules", states=UNDONE)
    number = number_of(said.strip().removeprefix("第").removesuffix("项"))
    if number is not None:
        return (number - 1,) if 1 <= number <= len(items) else ()
    return tuple(place for place, item in enumerate(items) if folded(said) in folded(item.title))


async def own_list(scene: Scene, account: str) -> Answers:
    """Show somebody's own checklist."""
    row = await newcomers.stay(scene.group_id, account)
    items = items_of(row) if row is not None else ()
    if row is None or not items:
        return [scene.answer(scene.say("no_list"))]
    lines = "\n".join(
        scene.say("list_line", number=number, state=scene.say(f"state.{item.state}"), title=item.title)
        for number, item in enumerate(items, start=1)
    )
    return [scene.answer(scene.say("list", items=lines, how=how_to_settle(scene, items)))]


async def all_lists(scene: Scene) -> Answers:
    """Show the stewards how far the newcomers of the last days are: one line each, privately."""
    rows = await newcomers.since(scene.group_id, scene.now - RECENT)
    if not rows:
        return [scene.answer(scene.say("newcomers_none", days=RECENT.days))]
    lines = [
        scene.say("newcomers_head", days=RECENT.days, count=len(rows)),
        *(_line(scene, row) for row in rows),
    ]
    event = scene.event
    assert isinstance(event, CommandGiven)  # noqa: S101 - only a command asks for it
    neutral = "" if event.private else scene.say("newcomers_neutral")
    return [
        scene.letter(event.account, text, neutral if number == 0 else "")
        for number, text in enumerate(portions(lines, scene.settings.portion_chars))
    ]


def _line(scene: Scene, row: Newcomer) -> str:
    zone = scene.tools.people.timezone(scene.group_id)
    name = name_of(scene.member(row.account), row.nickname or scene.say("nobody"))
    return scene.say(
        "newcomers_line", day=f"{row.joined_at.astimezone(zone):%m-%d}", name=name, how=_how_far(scene, row)
    )


def _how_far(scene: Scene, row: Newcomer) -> str:
    if row.left_at is not None:
        return scene.say("far.left")
    if row.state != GREETED:
        return scene.say(f"far.{row.state}")
    items = items_of(row)
    undone = [item.title for item in items if item.state != "done"]
    if not undone:
        return scene.say("far.done")
    key = "far.missed" if any(item.state == "missed" for item in items) else "far.open"
    return scene.say(key, items=scene.say("joint").join(undone))
