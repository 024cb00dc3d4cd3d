"""Reminders of the rules at a set pace: each article is said once before any is said again."""

import json
from collections.abc import Sequence

from groupops_welcome.models import Rotation
from groupops_welcome.portions import portions
from groupops_welcome.rulebook import Article
from groupops_welcome.scene import Answers, Scene
from groupops_welcome.showing import line_of

REMIND = "remind"


def next_turn(
    refs: Sequence[str], shown: Sequence[str], count: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give what is said this time, and what has been said in this round after it.

    A round ends with what is left of it, so that nothing is said twice before all was said once; articles that
    were added meanwhile have their turn in the same round.

    Args:
        refs: all articles, in their order, each once.
        shown: what was said in this round.
        count: how many at most.
    """
    said = frozenset(shown)
    left = [ref for ref in refs if ref not in said]
    if not left:
        return tuple(refs[:count]), tuple(refs[:count])
    return tuple(left[:count]), (*shown, *left[:count])


async def remind(scene: Scene) -> Answers | None:
    """Say the next articles. In quiet hours the core puts it off, as all that nobody asked for."""
    articles = {a.ref: a for a in scene.view.book.articles if any(entry.text for entry in a.entries)}
    if not articles:
        return None
    row = await Rotation.get_or_none(group_id=scene.group_id) or Rotation(group_id=scene.group_id)
    if row.said_by != scene.event.id:
        said, shown = next_turn(tuple(articles), json.loads(row.shown), scene.settings.remind_count)
        row.shown, row.said = (json.dumps(refs, ensure_ascii=False) for refs in (shown, said))
        row.said_by = scene.event.id
        await row.save()
    return _said(scene, [articles[ref] for ref in json.loads(row.said) if ref in articles])


def _said(scene: Scene, articles: list[Article]) -> Answers | None:
    if not articles:
        return None
    lines = [scene.say("remind"), *(line_of(scene, article) for article in articles)]
    return [scene.post(text) for text in portions(lines, scene.settings.portion_chars)]
