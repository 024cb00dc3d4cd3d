"""How policies read: a pack as a regulation, in the order of its clauses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from groupops.plugin import Manifest
from groupops.policy import Ladder, Policy
from groupops.shelf import Pack


def pack_text(pack: Pack, policy: Policy, manifests: Mapping[str, Manifest]) -> str:
    """Give a pack as text that reads like the regulation it came from.

    Args:
        pack: the pack.
        policy: what it resolves to.
        manifests: installed plugins, for the titles of rules and settings.
    """
    return "\n".join(
        (*_head(pack, policy), *_clauses(policy, manifests), *_ladders(policy), *_settings(policy, manifests))
    )


def _head(pack: Pack, policy: Policy) -> Iterator[str]:
    yield f"{pack.title}({pack.id})"
    yield f"生效:{policy.effective or '发布即生效'}"
    yield f"启用:{'、'.join(policy.enabled) or '无'}"
    if policy.inactive:
        yield f"待安装(未启用):{'、'.join(policy.inactive)}"


def _clauses(policy: Policy, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    if policy.clauses:
        yield ""
        yield "条文"
    for rule, clause in policy.clauses.items():
        plugin = rule.partition(".")[0]
        idle = "" if plugin in policy.enabled or plugin not in (*manifests, *policy.inactive) else "(未启用)"
        yield f"  {clause.ref}  {clause.text}  [{rule}]{'(待安装)' if plugin in policy.inactive else idle}"


def _ladders(policy: Policy) -> Iterator[str]:
    yield ""
    yield "处分阶梯"
    for name, ladder in policy.ladders.items():
        yield f"  {name}:{_ladder(ladder)}"


def _ladder(ladder: Ladder) -> str:
    how = "由人选定" if ladder.pick == "human" else f"第 {ladder.human_from + 1} 档起须人工核准"
    return f"{' → '.join(ladder.steps)}(有效 {ladder.ttl_days} 天,{how})"


def _settings(policy: Policy, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    for name in policy.enabled:
        if name not in manifests:
            continue
        yield ""
        yield f"{manifests[name].title}({name})"
        settings = policy.settings[name]
        for key, field in type(settings).model_fields.items():
            yield f"  {field.title or key}({key}):{getattr(settings, key)!r}"
