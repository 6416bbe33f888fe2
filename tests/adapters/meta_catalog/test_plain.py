"""Descriptions lose their HTML and nothing else, in a time that grows with their length alone."""

from __future__ import annotations

import time

import pytest

from adapters.meta_catalog.plain import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("<p>One.</p><p>Two &amp; <b>three</b></p>", "One.\nTwo & three"),
        ("a<br/>b<BR>c", "a\nb\nc"),
        ("<ul>\n<li>x</li>\n<li>y</li>\n</ul>", "x\ny"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("&lt;b&gt;", "<b>"),
        ("<script>alert('<p>')</script>seen", "seen"),
        ("<STYLE>p{}</style >x<script>never closed", "x"),
        ("<!-- note -->x", "x"),
        ("<a href='https://x.example' title=\"y\">link</a>", "link"),
        ("a\x00b\u200bc\t d\xa0e", "ab\u200bc d e"),
        ("  \n\n many\n \n lines \n", "many\nlines"),
        ("Ænd 👩‍👩‍👧 ok", "Ænd 👩‍👩‍👧 ok"),
        ("İ<script>x</script>y", "İy"),
        ("", ""),
    ],
)
def test_text_without_html(text: str, expected: str) -> None:
    """What a reader of the page would see."""
    assert expected == plain(text)


@pytest.mark.parametrize(
    "piece", ["<a", "<script", "<!--", "&", "<p ", " \n", "</", "&#", "<style>"]
)
def test_no_text_takes_long(piece: str) -> None:
    """A hundred thousand characters made to be slow."""
    text = piece * (100_000 // len(piece))
    begin = time.perf_counter()
    plain(text)
    assert time.perf_counter() - begin < 1.0
