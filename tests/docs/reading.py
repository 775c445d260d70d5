"""Markdown as the tests read it: fenced blocks with their language, headings, links."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands behind its fence, and its text."""

    language: str
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """List a page's blocks in these languages, in order."""
    found = [Block(fence.strip(), text) for fence, text in _FENCE.findall(page.read_text())]
    return [block for block in found if block.language in languages]


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    """List where a page's links lead."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {_anchor(heading) for heading in headings}


def _anchor(heading: str) -> str:
    text = re.sub(r"&[a-z]+;|`", "", heading).lower()
    return re.sub(r"[^\w -]", "", text).replace(" ", "-")
