"""A member says that somebody does not belong here: a case for the stewards, and nobody learns who said it (C10)."""

from __future__ import annotations

from groupops import AccountId, CommandGiven
from groupops_roster import cases, guests
from groupops_roster.belonging import Standing
from groupops_roster.scene import OUTSIDER, REPORT, Answer, Scene


async def reported(scene: Scene, event: CommandGiven) -> Answer:
    """`举报外人 @某人`: have the stewards look; whoever is known to belong is said to, and nothing follows."""
    account = AccountId(event.args[0])
    if scene.same_person(account, event.account):
        return [scene.answer(event, scene.say("not_oneself"))]
    if scene.settings.passes_over(scene.member(account)):
        return [scene.answer(event, scene.say("report_not_checked"))]
    if scene.standing(account) is Standing.REGISTERED:
        return [scene.answer(event, scene.say("report_registered"))]
    if await guests.is_guest(scene, account):
        return [scene.answer(event, scene.say("report_guest"))]
    if await cases.standing_case(scene, account, OUTSIDER) is not None:
        return [scene.answer(event, scene.say("report_known"))]
    ladder = "" if scene.settings.unknown_action == "flag" else scene.settings.removal_ladder
    reason = scene.say("report_reason", ref=scene.ref(REPORT))
    asked = await cases.open_case(scene, account, OUTSIDER, reason, ladder=ladder, reporter=event.account)
    return [*asked, scene.answer(event, scene.say("report_taken"))]
