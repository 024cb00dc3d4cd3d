"""Asks people who write in capitals to calm down."""

from pydantic import Field

from groupops import Event, Manifest, MessagePosted, Reply, Settings, Tools, hookimpl


class Shout(Settings):
    """When a message counts as shouted."""

    least_letters: int = Field(8, ge=2, le=200, title="至少几个字母才算喊叫")


manifest = Manifest(
    title="喊叫提醒",
    settings=Shout,
    hears=frozenset({"message_posted"}),
    needs=frozenset({Reply.needs}),
)


@hookimpl
def react(event: Event, settings: Shout, tools: Tools) -> list[Reply] | None:
    """Answer a message of nothing but capitals."""
    if not isinstance(event, MessagePosted) or not event.text.isupper():
        return None
    if sum(map(str.isalpha, event.text)) < settings.least_letters:
        return None
    return [Reply(group_id=event.group_id, message_id=event.message_id, text=tools.texts("calm"))]
