"""Pages lead somewhere, promise nothing that does not exist, and the generated ones are current."""

import ast
import re
from pathlib import Path

import pytest
from tests.docs.reading import PAGES, ROOT, anchors, blocks, links, prose

from perennial import errors
from perennial.cli import main
from perennial.scaffold.reference import pages

PARTS = ("how-to", "tutorial", "explanation", "decisions", "reference")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that exists, and an anchor a heading in it."""
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(ROOT), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists(page: Path) -> None:
    """A command in the documentation is one that the command line has."""
    text = "\n".join([prose(page), *(block.text for block in blocks(page, "sh"))])
    told = set(re.findall(r"(?:`|^|bin/)perennial ([a-z][a-z-]+)", text, re.MULTILINE))
    for command in told:
        assert main([command, "--help"]) == 0, f"{page.name}: perennial {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_in_the_documentation_is_python(page: Path) -> None:
    """A block that is called Python parses, unless it is a session of questions and answers."""
    for block in blocks(page, "python"):
        if not block.text.startswith(">>>"):
            ast.parse(block.text)


def test_every_page_is_found_from_the_index() -> None:
    """Nothing is written that nobody can reach."""
    index, decisions = ROOT / "docs" / "index.md", ROOT / "docs" / "decisions" / "index.md"
    reached = {(page.parent / link).resolve() for page in (index, decisions) for link in links(page)}
    written = {page for page in PAGES if page.parent.name in PARTS and page != decisions}
    assert written <= reached


def test_generated_pages_are_current() -> None:
    """`python -m perennial.scaffold.reference` would change nothing; run it when this fails."""
    for name, text in pages().items():
        assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == text, name


def test_an_error_code_names_one_mistake() -> None:
    """What stands in a message leads to one explanation."""
    classes = [each for each in vars(errors).values() if isinstance(each, type) and "code" in vars(each)]
    codes = [each.code for each in classes if issubclass(each, errors.PerennialError)]
    assert sorted(codes) == sorted(set(codes))


def test_the_readme_is_short() -> None:
    """It is read in five minutes, or not at all."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
