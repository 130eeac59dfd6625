"""Laws of tile paths: one path a tile, written as C2SP tlog-tiles writes it; anything else is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.ledger.tile_path import TileName, parse_tile_path
from creditbank.ledger.tiles import tile_ids, tile_width

names = st.builds(
    TileName,
    level=st.integers(0, 63),
    index=st.integers(0, 2**63 - 1) | st.integers(0, 2_000_000),
    width=st.integers(1, 256),
)


@given(names)
def test_a_tile_is_read_back_from_its_path(name: TileName) -> None:
    assert parse_tile_path(name.path()) == name


@st.composite
def nearly_paths(draw: st.DrawFn) -> str:
    path = draw(names).path()
    place = draw(st.integers(0, len(path)))
    return (
        path[:place] + draw(st.text("0123456789x/.p", max_size=2)) + path[place + draw(st.integers(0, 2)) :]
    )


@given(st.text("0123456789x/.p ", max_size=24) | nearly_paths())
def test_any_text_is_the_one_path_of_a_tile_or_none(text: str) -> None:
    name = parse_tile_path(text)
    assert name is None or name.path() == text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("0/x001/x234/067", TileName(level=0, index=1_234_067)),  # the example of the standard
        ("0/000", TileName(level=0, index=0)),
        ("1/000.p/1", TileName(level=1, index=0, width=1)),
        ("0/273.p/112", TileName(level=0, index=273, width=112)),
        ("2/x001/000.p/255", TileName(level=2, index=1000, width=255)),
    ],
)
def test_paths_are_written_as_the_standard_shows(path: str, name: TileName) -> None:
    assert (name.path(), parse_tile_path(path)) == (path, name)


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/0", "0/00", "0/0000", "00/000", "64/000", "0/x000/001", "0/001/002", "0/x001",
        "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p", "-1/000", "0/000/", "/0/000",
        "0/٠٠٠", "entries/000", "0/000.p/1/", "0/x999/x999/x999/x999/x999/x999/999", "0/000\n",
    ],
)  # fmt: skip
def test_what_is_almost_a_path_is_none(path: str) -> None:
    assert parse_tile_path(path) is None


@given(st.integers(0, 3_000) | st.integers(0, 100_000))
def test_the_widths_of_a_log_are_those_of_its_tiles(size: int) -> None:
    widths = {place: tile_width(size, level=place[0], index=place[1]) for place in tile_ids(size)}
    assert all(1 <= width <= 256 for width in widths.values())
    for level in range(4):
        here = sum(width for (of, _), width in widths.items() if of == level)
        assert here == size // 256**level
        beyond = sum(of == level for of, _ in widths)
        assert tile_width(size, level=level, index=beyond) == 0
