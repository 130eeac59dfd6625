"""Which table of a rule pack document is to blame where the values that are built from it refuse something.

A value knows what is wrong with it, and not where it was written: whoever builds one from a member of a
table says so here, and the error carries the way to it.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar, cast

from pydantic import BaseModel

from creditbank.documents.programme_models import ExamText, ProgrammeText
from creditbank.documents.toml_lines import Path
from creditbank.errors import InvalidInput

Text = TypeVar("Text")
Built = TypeVar("Built")
_INSIDE = "inside"
"""Where an error carries the way."""


def within(key: str | int, build: Callable[[], Built]) -> Built:
    """Return what is built from the member of a table; what it refuses is to blame on that member."""
    try:
        return build()
    except InvalidInput as error:
        error.values[_INSIDE] = (key, *cast("Path", error.values.get(_INSIDE, ())))
        raise


def each(key: str, texts: Iterable[Text], build: Callable[[Text], Built]) -> tuple[Built, ...]:
    """Return what is built from each member of a list, as `within` does."""
    return within(
        key,
        lambda: tuple(within(at, partial(build, text)) for at, text in enumerate(texts)),
    )


def blamed(text: object, error: InvalidInput) -> Path:
    """Return the way to what of a table is to blame, down to its key; empty where it is all of it."""
    inside = cast("Path", error.values.pop(_INSIDE, ()))
    if inside:
        return (*inside, *_key_at(text, inside, error.field))
    if not isinstance(text, ProgrammeText | ExamText):
        return ()
    if isinstance(at := error.values.get("requirement"), int):
        return ("requirements", at)
    listed = [("cap", "caps", [cap.id for cap in text.caps])]
    if isinstance(text, ProgrammeText):
        listed.append(("course", "courses", [course.id for course in text.courses]))
        listed.append(("course", "buckets", [bucket.id for bucket in text.buckets]))
    for value, key, ids in listed:
        if error.values.get(value) in ids:
            return (key, ids.index(str(error.values[value])))
    return ()


def _key_at(text: object, inside: Path, field: str | None) -> Path:
    """Return the key that an error names, where the table that the way leads to has one of that name."""
    for step in inside:
        text = (
            text[step]
            if isinstance(step, int) and isinstance(text, tuple)
            else getattr(text, str(step), None)
        )
    named = isinstance(text, BaseModel) and field in type(text).model_fields
    return (str(field),) if named else ()
