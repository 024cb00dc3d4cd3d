"""Makes the files beside it anew, saved by a real LibreOffice: `python tests/core/importers/make_files.py`.

Needs `soffice` on the PATH (Debian: `apt-get install libreoffice-calc-nogui`). What is to be in the files is
written here as flat OpenDocument; LibreOffice works out the formulas and saves it in each format.
The committed files were saved by LibreOffice 7.4.7.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

FILES = Path(__file__).with_name("files")

CSV = "csv:Text - txt - csv (StarCalc):{separator},34,{charset},1,,0,false,true,false"
UTF_8, GBK, UTF_16 = 76, 67, 65535
COMMA, TAB = 44, 9
"""The charsets and separators in LibreOffice's own numbers."""

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" '
    'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" '
    'xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" office:version="1.3" '
    'office:mimetype="application/vnd.oasis.opendocument.spreadsheet">'
    "<office:automatic-styles>"
    '<number:date-style style:name="N1"><number:year number:style="long"/><number:text>-</number:text>'
    '<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>'
    "</number:date-style>"
    '<style:style style:name="day" style:family="table-cell" style:data-style-name="N1"/>'
    '<style:style style:name="grey" style:family="table-cell">'
    '<style:table-cell-properties fo:background-color="#eeeeee"/></style:style>'
    "</office:automatic-styles><office:body><office:spreadsheet>"
)
TAIL = "</office:spreadsheet></office:body></office:document>"


def text(value: str, span: int = 1) -> str:
    """A cell with a text, merged over `span` columns."""
    merged = f' table:number-columns-spanned="{span}" table:number-rows-spanned="1"' if span > 1 else ""
    covered = "<table:covered-table-cell/>" * (span - 1)
    return (
        f'<table:table-cell office:value-type="string"{merged}>'
        f"<text:p>{escape(value)}</text:p></table:table-cell>{covered}"
    )


def number(value: float) -> str:
    """A cell with a number."""
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def day(value: str) -> str:
    """A cell with a true date."""
    return f'<table:table-cell table:style-name="day" office:value-type="date" office:date-value="{value}"/>'


def formula(value: str) -> str:
    """A cell with a formula; LibreOffice works it out."""
    return f"<table:table-cell table:formula={quoteattr('of:' + value)}/>"


EMPTY = "<table:table-cell/>"
GREY = '<table:table-cell table:style-name="grey"/>'


def sheet(name: str, *rows: list[str]) -> str:
    """A sheet of rows of cells."""
    body = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    return f"<table:table table:name={quoteattr(name)}>{body}</table:table>"


HEADINGS = [
    "工号",
    "姓名",
    "部门",
    "职务",
    "QQ号",
    "微信号",
    "入职日期",
    "离职日期",
    "在职",
    "同一人",
    "备注",
]

GOOD = sheet(
    "名册",
    [text("示例商会群名册（2026 年 7 月）", span=11)],
    [EMPTY],
    [text(heading) for heading in HEADINGS],
    [
        *(number(10023), text("欧阳娜娜"), formula('="销售"&"部"'), text("经理"), text("８８００００００１")),
        *(text("wxid_a1;wxid_a2"), day("2024-07-01"), EMPTY, text("是"), EMPTY, text("加粗")),
    ],
    [
        *(number(10024), text("张　三"), text("财务部"), EMPTY, number(880000002)),
        *(EMPTY, text("2023/5/6"), day("2026-03-31"), EMPTY, EMPTY, EMPTY),
    ],
    [
        *(text("010025"), text("阿依古丽·买买提"), text("国际部"), text("主管"), EMPTY),
        *(text("wxid_c"), EMPTY, text("2025年12月1日"), text("否"), number(10023), EMPTY),
    ],
    [
        *(formula("=10000+26"), text("John Smith"), text("国际部"), EMPTY, EMPTY),
        *(EMPTY, EMPTY, EMPTY, text("在职"), EMPTY, EMPTY),
    ],
    [GREY] * 14,
    [EMPTY] * 14,
    [GREY] * 14,
)
COUNTS = sheet("统计", [text("部门"), text("人数")], [text("销售部"), formula("=COUNTIF([.A1:.A9];[.A2])")])

BAD = sheet(
    "名册",
    [text(heading) for heading in (*HEADINGS[:6], "手机号", "离职日期")],
    [number(1), text("李四"), formula("=1/0"), EMPTY, text("880000001"), EMPTY, EMPTY, EMPTY],
    [number(1), text("王五"), text("财务部"), EMPTY, text("1234"), EMPTY, text("1.38E+10"), EMPTY],
    [number(2.5), text("赵六"), text("财务部"), EMPTY, text("880000001"), EMPTY, EMPTY, number(45000)],
    [day("2026-03-01"), EMPTY, text("财务部"), EMPTY, EMPTY, EMPTY, EMPTY, text("26-3-1")],
    [text("合计"), text("合计：4 人"), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY],
)

TWO = sheet("总部", [text("姓名")], [text("李四")]) + sheet("分部", [text("姓名")], [text("王五")])


def saved(folder: Path, name: str, content: str, target: str, ending: str, filter_: str = "") -> None:
    """Have LibreOffice save a content in a format."""
    source = folder / f"{name}.fods"
    source.write_text(HEAD + content + TAIL, "utf-8")
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile"]
    command += ["--convert-to", filter_ or ending, "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copyfile(folder / f"{name}.{ending}", FILES / target)


def main() -> None:
    """Make all of them."""
    FILES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for ending in ("xlsx", "xls", "ods"):
            saved(folder, "good", GOOD + COUNTS, f"good.{ending}", ending)
            saved(folder, "bad", BAD, f"bad.{ending}", ending)
        saved(folder, "two", TWO, "two_sheets.xlsx", "xlsx")
        charsets = {
            "good.utf8.csv": (COMMA, UTF_8),
            "good.gbk.csv": (COMMA, GBK),
            "good.utf16.csv": (TAB, UTF_16),
        }
        for target, (separator, charset) in charsets.items():
            saved(folder, "good", GOOD, target, "csv", CSV.format(separator=separator, charset=charset))
        saved(folder, "bad", BAD, "bad.gbk.csv", "csv", CSV.format(separator=COMMA, charset=GBK))


if __name__ == "__main__":
    main()
