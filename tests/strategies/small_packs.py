"""Small rule packs in pieces, for tests that change one piece."""

from pathlib import Path

HEAD = """id = "{id}"
authority = "{authority}"
title = "小"
about = "小"
official = false
published_at = {published}T00:00:00Z
effective_from = {effective}
date_basis = "application"
step = 0.5
[[citation]]
id = "a"
title = "甲"
[[scale]]
framework = "1+X"
levels = ["初级", "中级", "高级"]
"""
PROGRAMME = """[[programme]]
id = "web"
title = "网页"
credits = 10
cite = ["a"]
courses = [
  { id = "0101", title = "一", credits = 4, module = "m", class = "k" },
  { id = "0102", title = "二", credits = 6, module = "m", exemptible = false },
]
"""
RULE = """[[rule]]
id = "r"
version = 1
cite = ["a"]
say = "规则"
[[rule.premise]]
kind = "skill-certificate"
codes = ["X"]
min_level = "中级"
use = "consume"
[rule.grant]
mode = "choose"
courses = ["0101"]
max_credits = 4
"""
EXAMPLES = """[[example]]
name = "授予"
as_of = 2025-06-01
outcomes = [{ id = "c", kind = "skill-certificate", code = "X", level = "中级", awarded_on = 2025-01-01 }]
credits = 4
[[example]]
name = "差一级"
as_of = 2025-06-01
outcomes = [{ id = "c", kind = "skill-certificate", code = "X", level = "初级", awarded_on = 2025-01-01 }]
credits = 0
near = [{ rule = "r", attribute = "level", have = "初级", need = "中级" }]
"""


def head(
    pack: str = "small",
    *,
    authority: str = "small",
    published: str = "2025-01-01",
    effective: str = "2025-01-01",
) -> str:
    return HEAD.format(id=pack, authority=authority, published=published, effective=effective)


SOUND = head() + PROGRAMME + RULE + EXAMPLES
WAIVER = """[[exam]]
id = "e"
title = "e"
cite = ["a"]
parts = [{{ id = "p", title = "p" }}, {{ id = "q", title = "q", waivable = false }}]
{caps}
[[rule]]
id = "w"
version = 1
cite = ["a"]
say = "免试"
premise = [{{ kind = "diploma", codes = ["D"], use = "hold" }}]
waive = {{ parts = ["{part}"] }}
[[example]]
name = "免试"
exam = "e"
as_of = 2025-06-01
outcomes = [{{ id = "d", kind = "diploma", code = "D", awarded_on = 2025-01-01 }}]
[[example]]
name = "不免试"
exam = "e"
as_of = 2025-06-01
outcomes = []
near = [{{ rule = "w", attribute = "outcome" }}]
"""


def write(directory: Path, *packs: str) -> Path:
    for number, pack in enumerate(packs):
        file = directory / "authority" / f"{number}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(pack, "utf-8")
    return directory
