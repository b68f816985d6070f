"""The lesson as documents for teachers and as a panel of the page.

    python -m resnet_demo.ui.lesson_text          writes docs/lesson-20.md and docs/lesson-60.md

The panel shows the step that `lesson` in the address names; each step is an ordinary link that opens its tab.
"""

from __future__ import annotations

import html
from pathlib import Path

from resnet_demo.files import write_atomically
from resnet_demo.paper.lesson import LESSONS, STEPS, Step
from resnet_demo.ui.paper_html import address

DOCS = Path(__file__).parents[2] / "docs"
HOME = "http://127.0.0.1:7860/"
STYLE = "".join(
    f'[data-lesson="{n}"] #lesson [data-step="{n}"] {{ display: block !important; }}\n' for n in range(1, len(STEPS) + 1)
)
"""Shows the step of the address: widgets/address.js puts its number on the root of the document."""


def document(minutes: int) -> str:
    """The lesson of so many minutes as Markdown."""
    steps = LESSONS[minutes]
    lines = [
        f"# A lesson of {minutes} minutes: why residual networks work",
        "",
        "For a teacher with this app on a projector and a class that predicts before it looks. Everything works without internet, on a "
        "laptop with two cores. Start it with `.venv/bin/python app.py`, or with `--host 0.0.0.0` to let phones join (`/join` shows a QR "
        "code). The links below open each step on the same machine; in the app, 'A lesson' in the head of the page leads through all "
        "steps. While a comparison trains, everyone can predict its result on their own device, and the page counts the predictions. "
        "If time is short, a link under 'Recorded, to look at now' below Start opens the finished comparison, with the machine and the "
        "time it took.",
        "",
    ]
    for number, step in enumerate(steps, 1):
        link = step.link
        lines += [
            f"## {number}. {step.title} ({step.minutes} minutes)", "",
            f"**Ask.** {step.question}", "",
            f"**Show.** [{link.label}]({HOME}{address(link)})", "",
            f"**What you will see.** {step.observed.text}", "",
        ]  # fmt: skip
    spare = minutes - sum(step.minutes for step in steps)
    if spare:
        lines += [f"{spare} minutes are left for questions.", ""]
    return "\n".join(lines)


def panel() -> str:
    """All steps as HTML, of which the page's script shows one."""
    steps = "".join(_step(number, step) for number, step in enumerate(STEPS, 1))
    start = _link(1, "A lesson", ' class="lesson-start"')
    return f'{start}<div id="lesson">{steps}</div>'


def _step(number: int, step: Step) -> str:
    return (
        f'<section data-step="{number}" aria-label="Step {number} of the lesson"><h2>{number} of {len(STEPS)}: '
        f"{html.escape(step.title)}</h2><p>{html.escape(step.question)}</p>"
        f"<details><summary>What you will see</summary><p>{html.escape(step.observed.text)}</p></details>"
        f'<nav aria-label="Lesson">{_link(number - 1, "Back")}{_link(number + 1, "Next step")}'
        '<a href="?">End the lesson</a></nav></section>'
    )


def _link(number: int, label: str, attributes: str = "") -> str:
    """The link to a step; empty if there is none of that number."""
    if not 1 <= number <= len(STEPS):
        return ""
    target = html.escape(f"{address(STEPS[number - 1].link)}&lesson={number}")
    return f'<a{attributes} href="{target}">{label}</a>'


def main() -> None:
    """Write the documents."""
    for minutes in LESSONS:
        write_atomically(DOCS / f"lesson-{minutes}.md", document(minutes).encode())


if __name__ == "__main__":
    main()
