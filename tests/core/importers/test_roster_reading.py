"""A roster is read as people write it, and whatever cannot be read says where it is and what to do."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from groupops.importers import Roster, RosterFailed, read_people
from tests.core.importers.conftest import Csv, Xlsx, faults_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


# — where the table is —


def test_headings_are_found_below_a_title(csv: Csv) -> None:
    roster = read_people(csv("示例公司名册,,", "", "姓名,部门,工号", "王芳,财务部,1"))

    assert [(line.name, line.ref) for line in roster.lines] == [("王芳", "1")]
    assert roster.rows == (4,)


def test_headings_of_two_rows_are_taken_together(xlsx: Xlsx) -> None:
    roster = read_people(
        xlsx(
            ["姓名", "部门", "账号", ""], ["", "", "微信号", "QQ号"], ["王芳", "财务部", "wxid_1", 880000001]
        )
    )

    assert roster.lines[0].accounts == ("wechat:wxid_1", "qq:880000001")


@pytest.mark.parametrize(
    "heading", ["姓 名", "姓名*", "姓名（必填）", "姓名:", "真实姓名", "name", "姓\n名", "【姓名】", "姓名_"]
)
def test_a_heading_is_known_however_it_is_dressed(xlsx: Xlsx, heading: str) -> None:
    assert read_people(xlsx([heading], ["王芳"])).lines[0].name == "王芳"


def test_the_only_sheet_with_names_is_read(xlsx: Xlsx) -> None:
    path = xlsx(["姓名"], ["王芳"], 统计=[["部门", "人数"], ["财务部", 1]])

    assert read_people(path).sheet == "名册"


def test_of_two_sheets_with_names_one_has_to_be_chosen(xlsx: Xlsx) -> None:
    path = xlsx(["姓名"], ["王芳"], 分部=[["姓名"], ["李四"]])

    [fault] = faults_of(path)

    assert "名册、分部" in fault.wrong
    assert read_people(path, sheet="分部").lines[0].name == "李四"


def test_a_sheet_that_is_not_there_is_answered_with_those_there_are(xlsx: Xlsx) -> None:
    [fault] = faults_of(xlsx(["姓名"], ["王芳"], 分部=[["姓名"], ["李四"]]), sheet="分 部 ")

    assert "有：名册、分部" in fault.wrong


def test_blank_rows_and_columns_are_nothing(csv: Csv) -> None:
    roster = read_people(csv("姓名,部门,,", "王芳,财务部,,", " , ,,", "", "李四,财务部,,", ",,,"))

    assert [line.name for line in roster.lines] == ["王芳", "李四"]


def test_a_table_without_persons_is_no_roster(csv: Csv) -> None:
    assert "一个人也没有" in faults_of(csv("姓名,部门", ","))[0].wrong


# — columns —


def test_an_unknown_column_may_be_passed_over(csv: Csv) -> None:
    path = csv("姓名,星座", "王芳,天秤")

    assert faults_of(path)[0].heading == "星座"
    assert read_people(path, ignore_unknown=True).ignored == ("星座",)


def test_a_column_that_stands_twice_is_named(csv: Csv) -> None:
    [fault] = faults_of(csv("姓名,部门,所属部门", "王芳,财务部,财务部"))

    assert (fault.column, fault.heading) == ("C", "所属部门")
    assert "B 列" in fault.wrong


def test_notes_may_stand_twice(csv: Csv) -> None:
    assert read_people(csv("姓名,备注,备注", "王芳,a,b")).lines[0].name == "王芳"


@pytest.mark.parametrize("heading", ["身份证号", "身份证", "银行卡号"])
def test_numbers_of_identity_papers_have_no_place_in_a_roster(csv: Csv, heading: str) -> None:
    path = csv(f"姓名,{heading}", "王芳,x")

    assert "不该出现" in faults_of(path, ignore_unknown=True)[0].wrong


def test_something_under_no_heading_is_named_once(xlsx: Xlsx) -> None:
    [fault] = faults_of(xlsx(["姓名", "", "部门"], ["王芳", "x", "财务部"], ["李四", "y", "财务部"]))

    assert (fault.row, fault.column, fault.value) == (2, "B", "x")


def test_a_row_of_a_csv_that_is_too_short_is_no_guess(csv: Csv) -> None:
    [fault] = faults_of(csv("姓名,部门,在职", "王芳,财务部"))

    assert "有 2 格，表头有 3 列" in fault.wrong


# — values —


def ref_of(roster: Roster) -> str:
    return roster.lines[0].ref


@pytest.mark.parametrize(
    ("cell", "ref"),
    [(10023.0, "10023"), ("10023", "10023"), ("0017", "0017"), ("１００２３", "10023"), ("A-7", "A-7")],
)
def test_a_number_of_a_person_is_what_it_looks_like(xlsx: Xlsx, cell: object, ref: str) -> None:
    assert ref_of(read_people(xlsx(["姓名", "工号"], ["王芳", cell]))) == ref


@pytest.mark.parametrize(("cell", "ref"), [("10023.0", "10023"), ('"=""0017"""', "0017"), ("'-7a", "")])
def test_a_number_survives_what_programs_do_to_it_in_a_csv(csv: Csv, cell: str, ref: str) -> None:
    path = csv("姓名,工号", f"王芳,{cell}")

    if ref:
        assert ref_of(read_people(path)) == ref
    else:
        assert faults_of(path)[0].wrong == "不像编号"


@pytest.mark.parametrize(
    ("column", "cell", "wrong"),
    [
        ("工号", 10023.5, "带小数"),
        ("工号", 12345678901234567, "超过 15 位"),
        ("工号", date(2026, 3, 1), "被表格程序当成了日期"),
        ("工号", True, "真/假"),
        ("工号", "1 2", "不像编号"),
        ("手机号", "1.38E+10", "科学计数法"),
        ("手机号", "abc", "不像电话号码"),
        ("QQ号", "1.38E+10", "科学计数法"),
        ("QQ号", "0123456", "不是 QQ 号"),
        ("微信号", "x", "不是微信号"),
        ("其他账号", "u1", "不是“平台:账号”"),
        ("部门", date(2026, 3, 1), "被表格程序当成了日期"),
        ("部门", "x" * 101, "有 101 个字"),
        ("部门", "a\x07b", "控制字符"),
        ("部门", "#N/A", "公式出错"),
        ("在职", "也许", "既不是“是”也不是“否”"),
        ("离职日期", "26-3-1", "不是日期"),
        ("离职日期", "2026-02-30", "不是日期"),
        ("离职日期", 45000.0, "看不出是哪一天"),
        ("离职日期", "1900-01-01", "不在 1950 年"),
    ],
)
def test_a_cell_that_cannot_be_read_says_so(xlsx: Xlsx, column: str, cell: object, wrong: str) -> None:
    [fault] = faults_of(xlsx(["姓名", column], ["王芳", cell]))

    assert (fault.row, fault.column, fault.heading) == (2, "B", column)
    assert wrong in fault.wrong
    assert fault.do


@pytest.mark.parametrize("cell", ["合计", "合计：5 人", "制表人 王五", "123", "王芳!", "😀", "x" * 51, 17.0])
def test_what_is_no_name_is_no_person(xlsx: Xlsx, cell: object) -> None:
    assert faults_of(xlsx(["姓名", "部门"], [cell, "财务部"]))[0].column == "A"


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("张　三", "张三"),
        (" 王芳\u200b ", "王芳"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("John  Smith", "John Smith"),
        ("Jean-Luc Martin", "Jean-Luc Martin"),
        ("𠮷田健", "𠮷田健"),
        ("王芳（大）", "王芳（大）"),
    ],
)
def test_a_name_is_kept_without_what_nobody_sees(xlsx: Xlsx, cell: str, name: str) -> None:
    assert read_people(xlsx(["姓名"], [cell])).lines[0].name == name


def test_several_accounts_stand_in_one_cell(xlsx: Xlsx) -> None:
    roster = read_people(
        xlsx(
            ["姓名", "QQ号", "其他账号"],
            ["王芳", "８８０００００００；880000001, 880000000", "sandbox:u1;wecom:x"],
        )
    )

    assert roster.lines[0].accounts == ("qq:880000000", "qq:880000001", "sandbox:u1", "wecom:x")


def test_roles_are_said_in_the_words_of_packs(csv: Csv) -> None:
    roster = read_people(csv("姓名,角色", "王芳,管理员、人事/值班长、「甲、乙」"))

    assert roster.lines[0].org_roles == {"steward", "hr", "值班长", "甲、乙"}


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-31",
        "2026/3/31",
        "2026.3.31",
        "2026年3月31日",
        "20260331",
        "2026-03-31 00:00:00",
        20260331.0,
        date(2026, 3, 31),
    ],
)
def test_a_day_may_be_written_in_many_ways(xlsx: Xlsx, cell: object) -> None:
    roster = read_people(xlsx(["姓名", "离职日期"], ["王芳", cell]), zone=SHANGHAI)

    assert roster.lines[0].left_at == datetime(2026, 3, 31, tzinfo=SHANGHAI)
    assert not roster.lines[0].active


def test_a_day_that_has_not_come_lets_the_person_stay(csv: Csv) -> None:
    roster = read_people(csv("姓名,离职日期", "王芳,2026-03-31"), today=date(2026, 3, 1))

    assert (roster.lines[0].active, roster.lines[0].left_at, roster.future) == (True, None, 1)


def test_who_is_there_has_not_left(csv: Csv) -> None:
    [fault] = faults_of(csv("姓名,在职,离职日期", "王芳,是,2026-03-31"), today=date(2026, 4, 1))

    assert fault.heading == "在职"
    assert "2026-03-31" in fault.wrong


def test_nobody_leaves_before_coming(csv: Csv) -> None:
    [fault] = faults_of(csv("姓名,入职日期,离职日期", "王芳,2026-03-31,2025-03-31"))

    assert "早于入职日期 2026-03-31" in fault.wrong


# — who is who —


def test_a_merge_is_proposed_by_number(csv: Csv) -> None:
    roster = read_people(csv("工号,姓名,同一人", "1,王芳,", "2,王芳,1"))

    assert [(same.row, same.ref, same.other) for same in roster.merges] == [(3, "2", "1")]


@pytest.mark.parametrize(("line", "wrong"), [("2,王芳,2", "自己的工号"), (",王芳,2", "自己也要有工号")])
def test_a_merge_that_says_nothing_is_told_so(csv: Csv, line: str, wrong: str) -> None:
    assert wrong in faults_of(csv("工号,姓名,同一人", line))[0].wrong


def test_numbers_and_accounts_are_one_person_s_in_rows_that_are_wrong_otherwise_too(csv: Csv) -> None:
    faults = faults_of(csv("工号,姓名,QQ号,在职", "1,王芳,880000001,", "1,李四,880000001,也许"))

    assert [(fault.column, fault.row) for fault in faults] == [("A", 3), ("C", 3), ("D", 3)]
    assert "第 2 行（王芳）" in faults[0].wrong


def test_two_of_one_name_in_one_department_need_something_to_tell_them_apart(csv: Csv) -> None:
    same = csv("工号,姓名,部门", "1,王芳,财务部", ",王芳,财务部")
    faults = faults_of(same)

    assert [(fault.row, fault.column) for fault in faults] == [(3, "B")]
    assert len(read_people(csv("工号,姓名,部门", ",王芳,财务部", ",王芳,销售部")).lines) == 2


def test_all_is_counted_and_a_screenful_is_shown(csv: Csv) -> None:
    path = csv("姓名,QQ号", *(f"王芳,{number}" for number in range(1, 51)))

    with pytest.raises(RosterFailed) as failed:
        read_people(path)

    assert "有 50 处问题" in str(failed.value)
    assert "还有 30 处" in str(failed.value)
    assert len(str(failed.value).splitlines()) == 22


def test_a_formula_that_nobody_worked_out_is_no_empty_cell(xlsx: Xlsx) -> None:
    [fault] = faults_of(without_value(xlsx(["姓名", "部门"], ["王芳", '="财务"&"部"'])))

    assert (fault.row, fault.column) == (2, "B")
    assert "公式没有算好的值" in fault.wrong


def without_value(path: Path) -> Path:
    """Take the value of the last cell out of a workbook, as programs that cannot calculate leave it."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet, end = "xl/worksheets/sheet1.xml", b"</c></row></sheetData>"
    assert b"<v>0</v>" + end in parts[sheet]
    parts[sheet] = parts[sheet].replace(b"<v>0</v>" + end, end)
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return path


def test_dates_are_meant_in_utc_unless_said(csv: Csv) -> None:
    assert read_people(csv("姓名,离职日期", "王芳,2026-03-31")).lines[0].left_at == datetime(
        2026, 3, 31, tzinfo=UTC
    )
