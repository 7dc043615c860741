"""Checks a built site: every link leads somewhere, and nothing is fetched from elsewhere.

`python docs/check_links.py FOLDER` lists what is wrong and ends with 1. Links to other sites are
not followed.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
ELSEWHERE = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//")


class Page(HTMLParser):
    """The anchors of a page, its links, and the files that a browser fetches with it.

    Parameters
    ----------
    text : str
        The page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.fetched: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is called and where it leads."""
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        if FETCHED.get(tag) in given:
            self.fetched.add(given[FETCHED[tag]])


@cache
def read_page(path: Path) -> Page:
    """Read a page once, however many links lead to it."""
    return Page(path.read_text(encoding="utf-8"))


def find_faults(site: Path) -> Iterator[str]:
    """List the links that lead nowhere and the files that would be fetched from elsewhere."""
    for path in sorted(site.rglob("*.css")):
        if ELSEWHERE.search(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)}: fetches from elsewhere"
    for path in sorted(site.rglob("*.html")):
        if "_static" in path.parts:
            continue  # a template that the theme leaves there
        page = read_page(path)
        for link in sorted(page.links | page.fetched):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.fetched and parts.scheme != "data":
                    yield f"{path.relative_to(site)}: fetches {link}"
                continue
            target = path.parent / unquote(parts.path) if parts.path else path
            if not target.is_file():
                yield f"{path.relative_to(site)}: no file {link}"
                continue
            has_anchors = parts.fragment and target.suffix == ".html"
            if has_anchors and unquote(parts.fragment) not in read_page(target).anchors:
                yield f"{path.relative_to(site)}: no anchor {link}"


if __name__ == "__main__":
    faults = list(find_faults(Path(sys.argv[1])))
    sys.exit("\n".join(faults) or None)
