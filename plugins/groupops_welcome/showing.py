"""How the regulation is shown: as a list in pages, one article, or what was found by a word."""

import unicodedata
from collections.abc import Iterator

from groupops_welcome.portions import portions
from groupops_welcome.rulebook import Article, Page, Query, Words
from groupops_welcome.scene import Scene

TALK = 10
"""Characters of a query from which on it is taken for talk where nobody can tell."""

_TALKING = frozenset("了吗呢吧啊呀嘛哦~!?,。!?,…")


def rules_line(scene: Scene) -> str:
    """Give in one line which rules there are; empty where there are none."""
    titles = scene.say("joint").join(f"《{title}》" for title in scene.view.titles)
    count = len(scene.view.book.articles)
    return scene.say("rules_line", titles=titles, count=count) if count else ""


def whole_text(scene: Scene, closing: str) -> tuple[str, ...]:
    """Give all of the regulation and a closing line, in portions that fit a message; nothing where there is none."""
    if not scene.view.book.articles:
        return ()
    lines = (*_head(scene), *(line_of(scene, article) for article in scene.view.book.articles))
    return portions((*lines, closing), scene.settings.portion_chars)


def page_of(scene: Scene, number: int) -> str:
    """Give one page of the list of clauses, with how to see another."""
    if not scene.view.book.articles:
        return scene.say("no_rules")
    room = scene.settings.portion_chars - len(scene.say("page", page=99, pages=99))
    pages = portions((*_head(scene), *(line_of(scene, a) for a in scene.view.book.articles)), room)
    if not 1 <= number <= len(pages):
        return scene.say("no_page", page=number, pages=len(pages))
    if len(pages) == 1:
        return pages[0]
    return f"{pages[number - 1]}\n{scene.say('page', page=number, pages=len(pages))}"


def _head(scene: Scene) -> Iterator[str]:
    if scene.view.purpose:
        yield scene.say("purpose", purpose=scene.view.purpose)
    yield rules_line(scene)


def line_of(scene: Scene, article: Article) -> str:
    """Give an article as one line: its place, its own numbering, its sentences."""
    return scene.say(
        "article", number=article.number, ref=_short(scene, article), text=sentences(scene, article)
    )


def _short(scene: Scene, article: Article) -> str:
    """Leave the text's name out of a reference where all are of the same."""
    name, _, rest = article.ref.partition(" ")
    alone = len(scene.view.book.parts) == 1 and article.own.part
    return rest if alone and rest and name.startswith("篇") else article.ref


def sentences(scene: Scene, article: Article) -> str:
    """Give what an article says, and of which of its rules nothing watches over yet."""
    several = len(article.entries) > 1
    said = (
        (_ended(scene, entry.text) if several else entry.text or scene.say("no_words"))
        + (scene.say("inactive") if entry.inactive else "")
        for entry in article.entries
    )
    return "".join(said)


def _ended(scene: Scene, text: str) -> str:
    """Give a sentence with its mark at the end, so that another may stand behind it."""
    text = text or scene.say("no_words")
    return text if unicodedata.category(text[-1]).startswith("P") else text + scene.say("full_stop")


def shown(scene: Scene, query: Query) -> str:
    """Give what was asked for; where there is no such thing, what is near to it and how to ask."""
    if isinstance(query, Page):
        return page_of(scene, query.number)
    book = scene.view.book
    if not book.articles:
        return scene.say("no_rules")
    found = book.find(query)
    if len(found) == 1:
        return _alone(scene, found[0])
    if found:
        head = scene.say("found", count=len(found))
        return _cut(scene, head, [line_of(scene, article) for article in found])
    return _nothing(scene, query)


def _alone(scene: Scene, article: Article) -> str:
    return scene.say(
        "one",
        number=article.number,
        ref=article.ref,
        text=sentences(scene, article),
        count=len(scene.view.book.articles),
    )


def _nothing(scene: Scene, query: Query) -> str:
    near = scene.view.book.near(query)
    if near:
        return _cut(scene, scene.say("near"), [line_of(scene, article) for article in near])
    return scene.say("not_found", count=len(scene.view.book.articles))


def _cut(scene: Scene, head: str, lines: list[str]) -> str:
    """Give a head and as many lines as fit a message."""
    room = scene.settings.portion_chars - len(scene.say("more_found", count=999))
    first = portions((head, *lines), room)[0]
    left = len(lines) - first.count("\n")
    return f"{first}\n{scene.say('more_found', count=left)}" if left > 0 else first


def is_talk(scene: Scene, text: str, query: Query) -> bool:
    """Say whether words behind 群规 in a group are talk about the rules rather than a question to the bot."""
    if not isinstance(query, Words) or scene.view.book.find(query):
        return False
    return len(text) > TALK or not _TALKING.isdisjoint(text)
