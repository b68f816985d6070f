from __future__ import annotations

from resnet_demo.results.markdown import to_html


def test_headings_tables_lists_and_code_are_html_and_everything_is_escaped() -> None:
    text = "# A <b>\n\n| x | y |\n|---|---|\n| **1** | a \\| b |\n\n- one `c`\n- two\n\n    code <i>\n\nwords & words"
    assert to_html(text).splitlines() == [
        "<h1>A &lt;b&gt;</h1>",
        "<table><thead><tr><th>x</th><th>y</th></tr></thead><tbody><tr><td><b>1</b></td><td>a | b</td></tr></tbody></table>",
        "<ul><li>one <code>c</code></li><li>two</li></ul>",
        "<pre>    code &lt;i&gt;</pre>",
        "<p>words &amp; words</p>",
    ]


def test_no_picture_of_another_place_is_shown() -> None:
    assert "<img" not in to_html("![](http://example.org/a.png)")
    assert '<img alt=""' in to_html("![](data:image/png;base64,AAAA)")
