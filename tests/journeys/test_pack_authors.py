"""Whoever writes rules: starts from a commented pack, checks it, and sees what it changes."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.documents.rule_pack import parse_rule_pack
from creditbank.rulepacks.library import Library, findings_of
from creditbank.samples.starters import STARTERS, Starter, StarterInvalid, starter_pack
from tests.commands import Commands
from tests.strategies.small_packs import SOUND, write

DAYS = st.dates(min_value=date(1910, 1, 1), max_value=date(2199, 12, 31))


@given(st.sampled_from(STARTERS), DAYS)
def test_a_pack_to_start_from_is_sound_from_whatever_day(starter: Starter, day: date) -> None:
    document = parse_rule_pack(starter_pack(starter, name="my-school", effective_from=day).encode())
    assert findings_of(document) == ()
    assert (document.pack.authority, document.pack.effective_from) == ("my-school", day)
    assert document.pack.examples
    assert not document.pack.is_official


@pytest.mark.parametrize("starter", STARTERS)
def test_a_pack_is_started_checked_used_and_never_overwritten(
    commands: Commands, tmp_path: Path, starter: str
) -> None:
    given = ("rules", "new", "my-school", "--from", starter, "--effective-from", "2026-09-01")
    path = tmp_path / "my-school" / "2026-09-01.toml"
    assert str(path) in commands.run(*given, "--directory", tmp_path).out
    assert commands.run("rules", "check", path, "--json").json == []
    assert [pack.authority for pack in Library.load(tmp_path, shipped=False).packs] == ["my-school"]
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")
    refused = commands.run(*given, "--directory", tmp_path, code=2)
    assert "file-exists" in refused.err
    assert path.read_text("utf-8").endswith("# mine\n")


def test_packs_to_start_from_stand_beside_those_that_are_shipped(tmp_path: Path) -> None:
    for starter in STARTERS:
        folder = tmp_path / f"school-{starter}"
        folder.mkdir()
        text = starter_pack(starter, name=folder.name, effective_from=date(2026, 9, 1))
        (folder / "2026-09-01.toml").write_text(text, "utf-8")
    packs = Library.load(tmp_path).packs
    assert {f"school-{starter}" for starter in STARTERS} < {pack.authority for pack in packs}


@pytest.mark.parametrize("name", ["", "My School", "../up", "a/b", "-a", "a-", "学校", "a" * 41])
def test_a_name_that_is_no_directory_is_refused(commands: Commands, tmp_path: Path, name: str) -> None:
    place = tmp_path / "packs"
    place.mkdir()
    refused = commands.run("rules", "new", "--directory", place, "--", name, code=2)
    assert "starter-name" in refused.err
    assert list(place.iterdir()) == []


def test_a_day_outside_every_record_is_refused() -> None:
    with pytest.raises(StarterInvalid):
        starter_pack("waiver", name="a", effective_from=date(1909, 12, 31))


def test_a_directory_that_is_not_there_is_named(commands: Commands, tmp_path: Path) -> None:
    refused = commands.run("rules", "new", "a", "--directory", tmp_path / "nowhere", code=2)
    assert "directory-missing" in refused.err


def test_what_differs_is_told_without_a_bank_and_who_is_meant_must_be_plain(
    commands: Commands, tmp_path: Path
) -> None:
    for starter in ("exemption", "waiver"):
        commands.run("rules", "new", f"a-{starter}", "--from", starter, "--directory", tmp_path)
    old, new = (next((tmp_path / f"a-{starter}").glob("*.toml")) for starter in ("exemption", "waiver"))
    told = commands.run("rules", "diff", old, new).out
    assert "− rule[certificate]" in told
    assert "+ rule[graduate]" in told
    assert commands.run("rules", "diff", old, old, "--json").json["changes"] == []
    nobody = commands.run("rules", "diff", old, new, "--cohort", "all")
    assert "没有人得，也没有人失" in nobody.out
    unknown = commands.run("rules", "diff", old, new, "--cohort", "somebody", code=2)
    assert "cohort-unknown" in unknown.err
    lines = tmp_path / "class.txt"
    lines.write_text("# 班级\n1234\n", "utf-8")
    malformed = commands.run("rules", "diff", old, new, "--cohort", lines, code=2)
    assert "cohort-line" in malformed.err
    assert "第 2 行" in malformed.err
    lines.write_bytes("班级".encode("gb18030"))
    assert "cohort-not-utf8" in commands.run("rules", "diff", old, new, "--cohort", lines, code=2).err


def test_an_unknown_class_of_courses_is_named_with_its_line(commands: Commands, tmp_path: Path) -> None:
    """It once shared a code with an unknown question, and the check ended in a traceback."""
    for wrong in (
        SOUND.replace('courses = ["0101"]', 'classes = ["无"]'),
        SOUND.replace(
            "]\n[[rule]]",
            ']\ncaps = [{ id = "c", title = "c", maximum = 1, courses = { classes = ["无"] } }]\n[[rule]]',
        ),
    ):
        file = write(tmp_path, wrong) / "authority" / "0.toml"
        said = commands.run("rules", "check", file, code=1).out
        assert "0.toml:" in said.replace("\n", "")
        (found,) = commands.run("rules", "check", file, "--json", code=1).json
        assert (found["code"], found["severity"]) == ("course-class-unknown", "error")
        assert found["line"] is not None
        assert "“无”" in found["detail"]


def test_the_scales_of_a_pack_are_shown_and_what_no_record_states_is_named(
    commands: Commands, tmp_path: Path
) -> None:
    shown = commands.run("rules", "show", "changdu-2020", "--json").json
    framework = {scale["framework"]: scale["levels"] for scale in shown["scales"]}
    tables = commands.run("rules", "show", "example-shapes-2026", "--json").json["mark_tables"]
    assert tables[0]["bands"][0] == {"from": "9", "mark": "95"}
    assert "≥ 9 → 95 · ≥ 7 → 85" in commands.run("rules", "show", "example-shapes-2026").out
    said = commands.run("rules", "show", "changdu-2020").out
    assert framework
    assert all(f"{name}: " in said for name in framework)
    file = write(tmp_path, SOUND.replace('framework = "1+X"', 'framework = "edu"')) / "authority" / "0.toml"
    (found,) = commands.run("rules", "check", file, "--json").json
    assert (found["code"], found["severity"]) == ("framework-unlisted", "warning")
    assert "8-level" in found["detail"]


def test_a_cap_that_contradicts_itself_is_named_on_its_line(commands: Commands, tmp_path: Path) -> None:
    caps = 'caps = [\n{ id = "good", title = "c", maximum = 1 },\n{ id = "odd", title = "c" },\n]'
    text = SOUND.replace("]\n[[rule]]", f"]\n{caps}\n[[rule]]")
    file = write(tmp_path, text) / "authority" / "0.toml"
    (found,) = commands.run("rules", "check", file, "--json", code=1).json
    line = text.splitlines().index('{ id = "odd", title = "c" },') + 1
    assert (found["code"], found["place"], found["line"]) == ("cap-limit", "programme[1].caps[2]", line)
    assert "odd" in found["detail"]


def test_why_an_example_comes_out_as_it_does_is_said_without_a_bank(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "sound.toml").write_text(SOUND, "utf-8")
    asked = ("--language", "en", "rules", "explain", tmp_path / "sound.toml")
    granted = commands.run(*asked, "授予").out.replace("\n", " ")
    assert "授予" in granted
    assert "Exempt from “一”: 4 credits" in granted
    assert "差一级" not in granted
    refused = commands.run(*asked, "差一级").out.replace("\n", " ")
    assert "初级" in refused
    assert "中级" in refused
    assert "授予" in commands.run(*asked, "nowhere", code=2).out
    (tmp_path / "bare.toml").write_text(SOUND[: SOUND.index("[[example]]")], "utf-8")
    assert (
        "no examples"
        in commands.run("--language", "en", "rules", "explain", tmp_path / "bare.toml", code=2).out
    )
    (tmp_path / "wrong.toml").write_text(SOUND.replace("credits = 4\n[[", "credits = 5\n[["), "utf-8")
    wrong = commands.run("rules", "explain", tmp_path / "wrong.toml", code=1).out.replace("\n", "")
    assert "应为 5，算得 4" in wrong


def test_of_many_packs_each_is_checked_and_what_cannot_be_read_is_named_among_them(
    commands: Commands, tmp_path: Path
) -> None:
    """Seen to fail: the first that was unreadable kept its reader from all the others."""
    contents = {
        "broken": b"id =",
        "gbk": SOUND.encode("gb18030"),
        "marked": b"\xef\xbb\xbf" + SOUND.encode(),
        "twice": SOUND.encode() + b'name = "x"\nname = "y"\n',
        "warned": SOUND.replace('framework = "1+X"', 'framework = "edu"').encode(),
        "wrong": SOUND.replace("credits = 4\n[[", "credits = 5\n[[").encode(),
    }
    files = {name: tmp_path / f"{name}.toml" for name in contents}
    for name, content in contents.items():
        files[name].write_bytes(content)
    found = commands.run("rules", "check", *files.values(), "--json", code=1).json
    assert [(Path(one["file"]).stem, one["severity"], one["code"]) for one in found][:4] == [
        ("broken", "error", "not-toml"),
        ("gbk", "error", "pack-not-utf8"),
        ("twice", "error", "toml-key-twice"),
        ("warned", "warning", "framework-unlisted"),
    ]
    assert {Path(one["file"]).stem for one in found} == {*contents} - {"marked"}
    told = commands.run("--language", "en", "rules", "check", *files.values(), code=1).out
    assert [line.split(": ")[0] for line in told.splitlines()][:4] == ["Error", "Error", "Error", "Warning"]
    assert told.rstrip().endswith("(4 errors, 1 warning).")
    for name, lines in (("wrong", "(1 error, 0 warnings)."), ("marked", "sound (0 warnings).")):
        one = commands.run("--language", "en", "rules", "check", files[name], code=int(name == "wrong"))
        assert one.out.rstrip().endswith(lines)
    nowhere = (tmp_path, tmp_path / "nowhere.toml", files["wrong"])
    found = commands.run("rules", "check", *nowhere, "--json", code=2).json
    assert [one["code"] for one in found] == ["file-is-directory", "file-unreadable", "example-failed"]
    assert all(str(one["file"]) in one["detail"] for one in found)


def test_a_pack_of_the_bank_that_is_unreadable_keeps_nobody_from_the_others(
    commands: Commands, tmp_path: Path
) -> None:
    """Seen to fail: of a bank's own packs, too, only the first was named."""
    write(tmp_path, "id =", SOUND.replace("credits = 4\n[[", "credits = 5\n[["), 'id = "x"')
    own = Commands(commands.home, CREDITBANK_RULE_PACK_DIRECTORIES=str(tmp_path))
    found = own.run("rules", "check", "--json", code=1).json
    named = [(one["file"], one["code"]) for one in found]
    assert named[:2] == [("authority/0.toml", "not-toml"), ("authority/1.toml", "example-failed")]
    assert {file for file, _ in named} == {"authority/0.toml", "authority/1.toml", "authority/2.toml"}


def test_a_pack_is_shown_by_its_file_too(commands: Commands, tmp_path: Path) -> None:
    """Seen to fail: a path was taken for an id."""
    file = tmp_path / "mine.toml"
    file.write_text(SOUND, "utf-8")
    shown = commands.run("rules", "show", file, "--json").json
    assert shown["id"] == "small"
    assert shown["digest"] in commands.run("rules", "show", file).out
    file.write_text("id =", "utf-8")
    assert "/not-toml]" in commands.run("rules", "show", file, code=2).err
    assert "file-unreadable" in commands.run("rules", "show", tmp_path / "nowhere.toml", code=2).err


def test_a_line_number_is_never_taken_for_a_picture(commands: Commands, tmp_path: Path) -> None:
    """Seen to fail: line 100 between two colons was printed as 💯."""
    text = SOUND.replace('framework = "1+X"', 'framework = "edu"')
    line = text.splitlines().index('min_level = "中级"') + 1
    file = write(tmp_path, "#\n" * (100 - line) + text) / "authority" / "0.toml"
    assert "0.toml:100：" in commands.run("rules", "check", file).out


def test_what_an_example_expects_and_does_not_get_is_said_without_blanks(
    commands: Commands, tmp_path: Path
) -> None:
    text = SOUND.replace('attribute = "level", have = "初级", need = "中级"', 'attribute = "score"')
    met = text.replace('level = "初级"', 'level = "中级"').replace("credits = 0", "credits = 4")
    for wrong, got in ((text, "level 初级 → 中级"), (met, "—")):
        file = write(tmp_path, wrong) / "authority" / "0.toml"
        said = commands.run("rules", "check", file, "--json", code=1).json
        (found,) = (one for one in said if one["code"] == "example-failed")
        assert "near 应为 r: score，" in found["detail"]
        assert found["detail"].endswith(f"算得 {got}。")
