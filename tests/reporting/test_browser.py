"""The report as a reader meets it: in a browser without a network, by mouse and by keyboard."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
    "--disable-background-networking", "--remote-debugging-pipe", "--window-size=1280,900",
)  # fmt: skip


class Page:
    """One page of a headless Chromium, driven through its own pipe."""

    def __init__(self, executable, folder):
        self._to, there = os.pipe(), os.pipe()
        self._from = there
        command = [executable, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]

        def connect():
            os.dup2(self._to[0], 3)
            os.dup2(self._from[1], 4)

        self.process = subprocess.Popen(
            command,
            preexec_fn=connect,
            pass_fds=(3, 4, self._to[0], self._from[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(self._to[0])
        os.close(self._from[1])
        self.events, self._rest, self._count, self._session = [], b"", 0, None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def _read(self):
        while b"\0" not in self._rest:
            part = os.read(self._from[0], 65536)
            if not part:
                raise RuntimeError("the browser went away")
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **params):
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to[1], json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def run(self, script):
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key):
        for kind in ("rawKeyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9
            )

    def open(self, address):
        self.ask("Page.navigate", url=address)
        for _ in range(100):
            if self.run("document.readyState") == "complete":
                return
            time.sleep(0.05)
        raise AssertionError("the page did not load")

    def close(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        os.close(self._to[1])
        os.close(self._from[0])


@pytest.fixture
def page(trained, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed: it opens the page")
    opened = Page(browser, tmp_path)
    try:
        opened.ask(
            "Network.emulateNetworkConditions",
            offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1,
        )  # fmt: skip
        opened.open(Path(trained[1].report).as_uri())
        yield opened
    finally:
        opened.close()


def test_a_reader_finds_their_way_downloads_data_and_meets_no_error(page, trained, tmp_path):
    anchors = page.run("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))")
    assert len(anchors) >= 6
    for anchor in anchors:
        page.run(f"document.querySelector('nav a[href=\"{anchor}\"]').click()")
        assert page.run("location.hash") == anchor
        assert page.run(f"document.querySelector('{anchor}') !== null")
    assert page.run("window.scrollY") > 1000

    light = page.run("getComputedStyle(document.body).backgroundColor")
    page.run("document.getElementById('theme-dark').click()")
    dark = page.run("getComputedStyle(document.body).backgroundColor")
    page.run("document.getElementById('theme-light').click()")
    assert page.run("getComputedStyle(document.body).backgroundColor") == light != dark

    page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.run("document.querySelector('a.data').click()")
    name = page.run("document.querySelector('a.data').getAttribute('download')")
    for _ in range(100):
        if (tmp_path / name).exists():
            break
        time.sleep(0.05)
    record = Path(trained[1].report).parent / "record"
    stem = name.removeprefix("small_")
    assert (tmp_path / name).read_bytes() == (record / stem).read_bytes()

    page.run("document.body.tabIndex = -1; document.body.focus()")
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"

    asked = [event["params"]["request"]["url"] for event in page.events
             if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
    assert all(url.startswith(("file:", "data:", "about:")) for url in asked)
    troubles = [event for event in page.events
                if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded",
                                           "Runtime.consoleAPICalled")]  # fmt: skip
    assert troubles == []


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_is_no_wider_than_the_screen(page, width):
    page.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=800, deviceScaleFactor=1, mobile=width < 500,
    )  # fmt: skip
    assert page.run("document.documentElement.scrollWidth") <= width


# A phone, a laptop, and A4 less Chromium's margins.
@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (1366, "screen"), (718, "print")])
def test_the_page_is_set_well_on_phone_laptop_and_paper(page, width, media):
    page.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=800, deviceScaleFactor=1, mobile=width < 500,
    )  # fmt: skip
    page.ask("Emulation.setEmulatedMedia", media=media)
    assert page.run("document.querySelectorAll('.interval').length") > 50
    broken = (
        "[...document.querySelectorAll('.interval')].filter(e => e.getClientRects().length > 1)"
    )
    assert page.run(f"{broken}.map(e => e.innerText)") == []
    size = "parseFloat(getComputedStyle({}).fontSize)"
    larger = f"{size.format('e')} > {size.format('e.parentElement')}"
    soft = f"[...document.querySelectorAll('.soft, figcaption, .notes, dl')].filter(e => {larger})"
    assert page.run(f"{soft}.map(e => e.innerText)") == []
    assert page.run("document.documentElement.scrollWidth") <= width
    if width > 500:
        cut = (
            "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        )
        assert page.run(f"{cut}.map(e => e.getAttribute('aria-label'))") == []


def test_no_word_of_a_figure_is_cut_off(page):
    page.ask(
        "Emulation.setDeviceMetricsOverride", width=1366, height=900, deviceScaleFactor=1,
        mobile=False,
    )  # fmt: skip
    outside = """[...document.querySelectorAll('figure svg')].flatMap(svg => {
        const room = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < room.left - 1 || box.right > room.right + 1
                || box.top < room.top - 1 || box.bottom > room.bottom + 1;
        }).map(text => text.textContent);
    })"""
    assert page.run("document.querySelectorAll('figure svg text').length") > 50
    assert page.run(outside) == []
