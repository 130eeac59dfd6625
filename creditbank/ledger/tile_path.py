"""How a tile is named in a URL: C2SP tlog-tiles, `<level>/<index>` and `<level>/<index>.p/<width>`.

The index is written in groups of three digits, all but the last after an `x`: 1234067 is `x001/x234/067`.
"""

import re
from dataclasses import dataclass

from creditbank.ledger.checkpoint import SIZE_LIMIT
from creditbank.ledger.tiles import TILE_WIDTH

LEVEL_MAX = 63

_PATH = re.compile(r"([0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII)
_GROUP = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TileName:
    """A tile, and how many of its hashes are meant: 256 for a whole one."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """Return the tile's path below `tile/`."""
        groups = [f"{self.index % _GROUP:03}"]
        rest = self.index // _GROUP
        while rest:
            groups.append(f"x{rest % _GROUP:03}")
            rest //= _GROUP
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"{self.level}/{'/'.join(reversed(groups))}{partial}"


def parse_tile_path(path: str) -> TileName | None:
    """Read a tile's path below `tile/`, None for any text that `path` would not write."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level, groups, width = found.groups()
    name = TileName(
        level=int(level),
        index=int(re.sub(r"[x/]", "", groups)),
        width=TILE_WIDTH if width is None else int(width),
    )
    is_tile = name.level <= LEVEL_MAX and 1 <= name.width <= TILE_WIDTH and name.index < SIZE_LIMIT
    return name if is_tile and name.path() == path else None
