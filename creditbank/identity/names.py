"""A person's names in three scripts, shown as given and compared as meant.

One name is written with `·`, `•`, a space or nothing between its parts, and with or without the last
tsheg; none of that makes it another name.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from creditbank.errors import InvalidInput

NAME_MAX = 100
"""Characters that one form of a name may have."""

_TIBETAN_LETTER = re.compile("[\u0f40-\u0fbc]")
_SCRIPTS = {
    "chinese": re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "tibetan": _TIBETAN_LETTER,
    "romanised": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
}
_SEPARATORS = re.compile("[\\s.'’\\-·•‧∙⋅・\u0f0b-\u0f12]+")
_TSHEG = "\u0f0b"
_WIDE_SPACE = "\u3000"


class NameInvalid(InvalidInput):
    """This cannot stand as a person's name."""

    code = "name-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNames:
    """The forms of one person's name; at least one is present, each in its own script.

    Raises:
        NameInvalid: `name-missing`, `name-blank`, `name-too-long`, `name-characters` or `name-script`.
    """

    chinese: str | None = None
    tibetan: str | None = None
    romanised: str | None = None

    def __post_init__(self) -> None:
        forms = dict(self._forms())
        if not forms:
            raise NameInvalid("name-missing", field="names")
        for script, form in forms.items():
            _check(form, script=script)

    @property
    def shown(self) -> str:
        """The form to show where there is room for one: Chinese, else Tibetan, else romanised."""
        return next(form for _, form in self._forms())

    def matches(self, text: str) -> bool:
        """Whether `text` is one of these names, in whatever script it is written."""
        return any(same_name(form, text) for _, form in self._forms())

    def stand_in(self, text: str) -> bool:
        """Whether one of these names stands somewhere in `text`, however its parts are kept apart."""
        return any(_bare(form) in _bare(text) for _, form in self._forms())

    def _forms(self) -> Iterator[tuple[str, str]]:
        for script in _SCRIPTS:
            form = getattr(self, script)
            if form is not None:
                yield script, form


def same_name(a: str, b: str, /) -> bool:
    """Whether two written names are one: width, case, separators and a trailing tsheg or shad aside.

    Two blanks are no name, and so not the same one.
    """
    folded = _folded(a)
    return bool(folded) and folded == _folded(b)


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if _TIBETAN_LETTER.search(plain):
        return _SEPARATORS.sub(_TSHEG, plain).strip(_TSHEG)
    return _SEPARATORS.sub("", plain)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _SEPARATORS.sub("", plain)


def _check(form: str, *, script: str) -> None:
    if not form or form != form.strip():
        raise NameInvalid("name-blank", field=script)
    if len(form) > NAME_MAX:
        raise NameInvalid("name-too-long", field=script, length=len(form), max_length=NAME_MAX)
    for position, character in enumerate(form, start=1):
        if not character.isprintable() and character != _WIDE_SPACE:
            raise NameInvalid("name-characters", field=script, position=position)
    if not _SCRIPTS[script].search(form):
        raise NameInvalid("name-script", field=script)
