"""The template's looks, and its sheet of instructions: the rules, and what each column wants."""

from collections.abc import Sequence

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from creditbank.documents.spreadsheet_columns import Column, SheetKind

_FONT = {"font_name": "微软雅黑", "font_size": 10, "valign": "vcenter"}
_BOXED = {"border": 1, "border_color": "#C8CDD2"}
_HEADERS = (
    "列名\nColumn",
    "英文\nIn English",
    "必填\nRequired",
    "填写说明\nHow to fill it in",
    "示例\nExample",
)
_WIDTHS = (16, 20, 10, 64, 26)
_RULES = (
    (
        "请在第一个工作表中填写，每行一项成果；第一行是表头，请勿改动。",
        "Fill in the first sheet, one outcome to a row; leave the headers as they are.",
    ),
    (
        "第二行是示例，导入时自动跳过，可以保留、删除或覆盖。",
        "The second row is an example and is left out on import; keep it, delete it or write over it.",
    ),
    (
        "带 * 的列必须填写。身份证号与学习账号二选一。",
        "Columns marked * must be filled in. Give either the citizen number or the account number.",
    ),
    (
        "编号各列已设为“文本”。从别处粘贴请选“只粘贴值”，否则长数字的末几位会变成 0，无法恢复。",
        "Numbers are text. Paste values only: else the last digits of long ones turn into zeros for good.",
    ),
    (
        "不用填写颁发机构：由导入文件的机构决定。",
        "The issuer is not filled in: it is the institution that imports the file.",
    ),
    (
        "请勿合并单元格。多出的列不影响导入，导入时会列出。",
        "Do not merge cells. Further columns do no harm; the import lists them and does not read them.",
    ),
)


class Looks:
    """The formats of the template."""

    def __init__(self, workbook: Workbook) -> None:
        def look(**properties: object) -> Format:
            return workbook.add_format({**_FONT, **properties})

        self.header = look(bold=True, text_wrap=True, align="center", bg_color="#DCE6F1", **_BOXED)
        self.example = look(italic=True, font_color="#7A8288", num_format="@")
        self.heading = look(bold=True, font_size=14)
        self.line = look(text_wrap=True, **_BOXED)
        self.rule = look()
        self._text = look(num_format="@")
        self._day = look(num_format="yyyy-mm-dd", align="left")
        self._plain = look()

    def of(self, column: Column | None) -> Format:
        """Return the format of a column's cells: text, unless they are days or for calculating."""
        match column.content if column is not None else None:
            case "day" | "expiry":
                return self._day
            case "figure" | "count" | None:
                return self._plain
            case _:
                return self._text


def write_guide(sheet: Worksheet, looks: Looks, kind: SheetKind, columns: Sequence[Column]) -> None:
    """Write the instructions, Chinese first."""
    sheet.write_string(0, 0, f"{kind.zh}填报说明 · {kind.en}: how to fill in the workbook", looks.heading)
    for at, (zh, en) in enumerate(_RULES):
        sheet.write_string(1 + 2 * at, 0, f"{at + 1}. {zh}", looks.rule)
        sheet.write_string(2 + 2 * at, 0, f"    {en}", looks.rule)
    top = 2 * len(_RULES) + 2
    for at, (header, width) in enumerate(zip(_HEADERS, _WIDTHS, strict=True)):
        sheet.set_column(at, at, width)
        sheet.write_string(top, at, header, looks.header)
    for row, column in enumerate(columns, start=top + 1):
        required = "是 yes" if column.is_required else ""
        hint = f"{column.hint_zh}\n{column.hint_en}"
        for at, text in enumerate((column.zh, column.en, required, hint, column.example)):
            sheet.write_string(row, at, text, looks.line)
