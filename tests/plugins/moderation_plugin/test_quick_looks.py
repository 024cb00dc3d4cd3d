"""The quick looks that spare most messages a closer one never spare a message that the closer one would object to."""

from hypothesis import given
from hypothesis import strategies as st

from groupops_moderation.detectors.markings import Markings
from groupops_moderation.detectors.pii import find_personal_data
from groupops_moderation.detectors.urls import find_addresses
from groupops_moderation.fold import load_fold
from groupops_moderation.settings import Moderation
from tests.plugins.moderation_plugin.desk import view_of

_SETTINGS = Moderation(use=("malware_link", "pii", "confidential"), markings=("机密", "秘密★", "内部资料"))
_VIEW = view_of(_SETTINGS)
_FILL = st.text(alphabet="好的 ,。点.-:/ab1２③\u200b\uff0e", max_size=6)
_DRESS = st.sampled_from(["{}", "\uff08{}\uff09", " {} ", "看{}", "{}吧"])


def dressed(host: str, dot: str) -> str:
    return host.replace(".", dot)


@given(
    before=_FILL,
    after=_FILL,
    host=st.sampled_from(["evil.test", "a.b-c.com", "163.com", "x1.top"]),
    dot=st.sampled_from([".", "。", "[点]", "点", "\uff0e", "(dot)", ".\u200b", " . ", "【.】"]),
    scheme=st.sampled_from(["", "http://", "hxxps://", "http:／／"]),
)
def test_no_address_is_overlooked(before: str, after: str, host: str, dot: str, scheme: str) -> None:
    text = f"{before}{scheme}{dressed(host, dot)}{after}"
    assert _VIEW.has_address is not None
    assert not find_addresses(text) or _VIEW.has_address(text)


@given(
    before=_FILL,
    after=_FILL,
    number=st.sampled_from(["11010519491231002X", "13800138000", "卡号 4111111111111111"]),
    digits=st.sampled_from(["0123456789", "０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]),
    gap=st.sampled_from(["", " ", "-", "\u200b"]),
)
def test_no_personal_number_is_overlooked(
    before: str, after: str, number: str, digits: str, gap: str
) -> None:
    shown = gap.join(number).translate(str.maketrans("0123456789", digits))
    text = f"{before}{shown}{after}"
    assert _VIEW.has_digits is not None
    assert not find_personal_data(text) or _VIEW.has_digits(load_fold().text(text))


@given(
    before=_FILL,
    after=_FILL,
    dress=_DRESS,
    mark=st.sampled_from(
        [
            "机密",
            "机 密",
            "机密★1年",
            "密级:秘密",
            "国办发〔2024〕12号",
            "国办发[2024]第 3 号",
            "签发人:张三",
            "份 号:000123",
            "内部资料",
            "內部資料",
            "绝密☆",
        ]
    ),
)
def test_no_marking_is_overlooked(before: str, after: str, dress: str, mark: str) -> None:
    text = f"{before}{dress.format(mark)}{after}"
    assert _VIEW.has_mark is not None
    assert not Markings(words=_SETTINGS.markings).find(text) or _VIEW.has_mark(load_fold().text(text))
