import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markdown import Markdown

from mnist_models.shown_text import LONGEST, as_unicode, in_markdown, in_title, on_screen

# Names of files as Python sees them: any bytes but the zero, those that are no UTF-8 as lone surrogates.
NAMES = st.binary(max_size=40).map(lambda name: name.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
TEXTS = NAMES | st.text(st.characters(), max_size=40)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo 1.png", "photo 1.png"),
        ("größe ✓ 数字.png", "größe ✓ 数字.png"),
        ("scan[copy].png", "scan[copy].png"),
        (b"caf\xe9.png".decode("utf-8", "surrogateescape"), "caf\\xe9.png"),
        ("two\nlines\tand \x1b[31mred", "two\\nlines\\tand \\x1b[31mred"),
        ("gnp.\u202eexe", "gnp.\\u202eexe"),
        ("half \ud83d", "half \\ud83d"),
    ],
)
def test_a_name_is_shown_on_one_line(text, shown):
    assert on_screen(text) == shown


@given(TEXTS)
def test_any_text_can_be_shown_and_stored(text):
    as_unicode(text).encode()  # raises nothing
    shown = on_screen(text)
    assert len(shown.encode().splitlines()) <= 1
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs") for each in shown)
    assert on_screen(shown) == shown
    assert len(in_title(text)) <= LONGEST + 3


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_is_unicode_is_stored_as_it_is(text):
    assert as_unicode(text) == text


def plain(rendered):
    return "".join(child.content for token in rendered.parsed for child in token.children or ())


@given(st.text(st.sampled_from("ab1 |`*_[]()<>#!\\~\n"), max_size=30))
def test_markdown_shows_a_name_as_it_is(text):
    assert plain(Markdown("name: " + in_markdown(text))).split() == f"name: {on_screen(text)}".split()
