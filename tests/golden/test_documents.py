"""What is documented is what is there: every error code and every setting."""

from pathlib import Path

from creditbank.settings import PREFIX, Settings
from tests.golden.errors_page import PAGE, page

ROOT = Path(__file__).parents[2]


def test_every_error_is_documented() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.golden.errors_page"


def test_every_setting_is_documented() -> None:
    written = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}" not in written] == []
