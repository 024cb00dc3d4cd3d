"""Who is who: encrypted ids, names, whom the app reaches, and where somebody was heard of."""

from __future__ import annotations

from groupops_wecom.faces import Faces, Kept


def test_an_encrypted_id_is_known_by_its_plain_one_once_it_was_asked() -> None:
    faces = Faces()

    before = faces.plain("woENCRYPTED")
    faces.resolve("woENCRYPTED", "lisi")

    assert before is None
    assert faces.plain("woENCRYPTED") == "lisi"


def test_an_id_the_contacts_have_is_plain() -> None:
    faces = Faces()
    faces.name("lisi", "李四")

    assert faces.plain("lisi") == "lisi"
    assert faces.called("lisi") == "李四"


def test_the_app_reaches_who_is_in_its_range_and_nobody_outside() -> None:
    faces = Faces()

    faces.keep_only(["lisi", "wmCUSTOMER", "wbROBOT"])

    assert faces.reaches("lisi")
    assert not faces.reaches("wmCUSTOMER")
    assert not faces.reaches("wbROBOT")
    assert not faces.reaches("wangwu")


def test_until_its_range_is_known_the_app_may_reach_everybody_of_the_company() -> None:
    faces = Faces()
    faces.lose("wangwu")

    reached = [faces.reaches(user) for user in ("lisi", "wangwu", "wmCUSTOMER", "wbROBOT", "")]

    assert reached == [True, False, False, False, False]


def test_who_was_refused_is_not_reached_until_seen_again() -> None:
    faces = Faces()
    faces.reach(["lisi"])

    faces.lose("lisi")
    lost = faces.reaches("lisi")
    faces.reach(["lisi"])

    assert not lost
    assert faces.reaches("lisi")


def test_who_left_the_range_is_not_reached() -> None:
    faces = Faces()
    faces.keep_only(["lisi", "wangwu"])

    faces.keep_only(["wangwu"])

    assert not faces.reaches("lisi")


def test_what_is_kept_is_bounded_and_the_oldest_goes() -> None:
    kept: Kept[int, str] = Kept(2)

    for number in range(4):
        kept.put(number, str(number))

    assert list(kept) == [2, 3]
