#!/usr/bin/env python3
"""Looks at reports in a real browser.

    scripts/check_report.py RUN_FOLDER_OR_HTML... [--out FOLDER] [--browser chromium]

Opens every page (a folder stands for all *.html and figures/*.svg below it) in headless Chromium, in
light and dark, on a wide screen, on a phone and as printed, and fails unless

- nothing is fetched beside the page itself, and the console stays empty;
- no page is wider than the screen, down to 320 pixels;
- there is one h1, no heading level is skipped, there is one main landmark, every id is unique;
- every figure, image and scrolling region has a name for screen readers, every table a caption and
  headings with a scope;
- text stands out from its ground by 4.5:1 in light and in dark;
- text inside of figures lies inside of the figure, and no two labels lie on each other.

With --out, screenshots are left there. Only the standard library and a browser are needed.
"""

import argparse
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe",
]
WIDTHS = {"wide": 1100, "phone": 360, "small-phone": 320}

# Runs in the page; returns what is wrong with its structure.
STRUCTURE = r"""
(() => {
  const wrong = [];
  const seen = new Set();
  for (const element of document.querySelectorAll('[id]')) {
    if (seen.has(element.id)) wrong.push(`the id ${element.id} is there twice`);
    seen.add(element.id);
  }
  for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
    for (const name of ['aria-labelledby', 'aria-describedby'])
      for (const id of (element.getAttribute(name) || '').split(/\s+/).filter(Boolean))
        if (!seen.has(id)) wrong.push(`${name} points to ${id}, which is not there`);
  }
  for (const link of document.querySelectorAll('a[href^="#"]'))
    if (!seen.has(link.getAttribute('href').slice(1))) wrong.push(`a link points to ${link.getAttribute('href')}, which is not there`);
  if (document.documentElement.tagName === 'svg') return wrong;
  if (!document.documentElement.lang) wrong.push('the page does not say its language');
  if (!document.title) wrong.push('the page has no title');
  if (document.querySelectorAll('main').length !== 1) wrong.push('there is not exactly one main landmark');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('there is not exactly one h1');
  let last = 0;
  for (const heading of document.querySelectorAll('h1,h2,h3,h4,h5,h6')) {
    const level = Number(heading.tagName[1]);
    if (level > last + 1) wrong.push(`heading “${heading.textContent}” skips a level`);
    if (!heading.textContent.trim()) wrong.push('a heading is empty');
    last = level;
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption || !table.caption.textContent.trim()) wrong.push('a table has no caption');
    for (const cell of table.querySelectorAll('th')) if (!cell.scope) wrong.push('a table heading has no scope');
  }
  for (const element of document.querySelectorAll('.scroll, pre'))
    if (element.tabIndex < 0) wrong.push('a scrolling region cannot be reached by keyboard');
  return wrong;
})()
"""

# Runs in the page; returns text that does not stand out, lies outside of its figure or on another label.
APPEARANCE = r"""
(() => {
  const wrong = [];
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    const sheet = document.querySelector('.sheet');
    return sheet ? parse(getComputedStyle(sheet).fill) : [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  const looked = new Set();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || looked.has(element) || !element.checkVisibility()) continue;
    looked.add(element);
    const inside = element.closest('svg');
    if (inside && element.tagName !== 'text') continue;
    if (element.matches('.on-dark, .on-light')) continue;
    const style = getComputedStyle(element);
    const ratio = contrast(parse(inside ? style.fill : style.color), ground(element));
    if (ratio < 4.5) wrong.push(`“${node.textContent.trim().slice(0, 40)}” stands out by only ${ratio.toFixed(2)}:1`);
  }
  for (const figure of document.querySelectorAll('svg[role=img]')) {
    if (!figure.checkVisibility()) continue;
    const sheet = figure.getBoundingClientRect();
    const boxes = [];
    for (const text of figure.querySelectorAll('text')) {
      const box = text.getBoundingClientRect();
      const name = text.textContent;
      if (box.left < sheet.left - 1 || box.right > sheet.right + 1 || box.top < sheet.top - 1 || box.bottom > sheet.bottom + 1)
        wrong.push(`in ${figure.getAttribute('aria-labelledby')}: “${name}” is cut off`);
      if ((text.getAttribute('transform') || '').includes('rotate')) continue;
      for (const [other, otherName] of boxes) {
        const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        if (across > 1 && down > box.height * 0.35)
          wrong.push(`in ${figure.getAttribute('aria-labelledby')}: “${name}” lies on “${otherName}”`);
      }
      boxes.push([box, name]);
    }
  }
  return wrong;
})()
"""


class Browser:
    """A headless browser, spoken to over its DevTools pipe."""

    def __init__(self, command):
        self.profile = tempfile.mkdtemp(prefix="check-report-")
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def at_three_and_four():
            # Through high numbers first, in case the pipes already lie on 3 or 4.
            first, second = os.dup2(to_browser, 1003), os.dup2(from_browser, 1004)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [command, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=at_three_and_four, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.number = 0
        self.buffer = b""
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive(30)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_end], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise RuntimeError("the browser does not answer")
            more = os.read(self.read_end, 1 << 16)
            if not more:
                raise RuntimeError("the browser has ended")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, address):
        self.events.clear()
        self.call("Page.navigate", url=address)
        end = time.monotonic() + 30
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive(max(0.1, end - time.monotonic())))

    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def show(self, width, scheme):
        self.call("Emulation.setEmulatedMedia", media="screen",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800,
                  deviceScaleFactor=2 if width < 500 else 1, mobile=width < 500)

    def close(self):
        try:
            self.call("Browser.close")
        except (RuntimeError, OSError):
            self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.profile, ignore_errors=True)


def nameless(browser):
    """Roles that need a name and have none in the accessibility tree."""
    wrong = []
    for node in browser.call("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value", "")
        name = node.get("name", {}).get("value", "").strip()
        if node.get("ignored") or name:
            continue
        if role in ("image", "img", "figure", "region", "navigation", "link", "button", "table",
                    "SvgRoot", "article", "DisclosureTriangle", "graphics-document"):
            wrong.append(f"a {role} has no name for screen readers")
    return wrong


def fetched(browser, address):
    """Requests beside the page itself, and what the console says."""
    wrong = []
    for event in browser.events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if url != address and not url.startswith("data:"):
                wrong.append(f"fetches {url}")
        elif method == "Runtime.consoleAPICalled":
            wrong.append(f"console: {parameters.get('args')}")
        elif method == "Runtime.exceptionThrown":
            wrong.append(f"exception: {parameters['exceptionDetails'].get('text')}")
        elif method == "Log.entryAdded":
            wrong.append(f"log: {parameters['entry']['text']}")
    return wrong


def screenshot(browser, path):
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    # Taller pictures fail in the browser.
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 7500), "scale": 1}
    data = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    path.write_bytes(base64.b64decode(data["data"]))


def check(browser, page, out, label):
    """All that is wrong with one page, each with the views it was seen in."""
    address = page.resolve().as_uri()
    wrong = {}
    is_page = page.suffix == ".html"
    views = [(name, width, scheme) for scheme in ("light", "dark")
             for name, width in WIDTHS.items() if is_page or name == "wide"]
    for name, width, scheme in views:
        browser.show(width, scheme)
        browser.open(address)
        here = fetched(browser, address) + browser.evaluate(STRUCTURE) + nameless(browser)
        if is_page:
            # Also with everything unfolded.
            if scheme == "light":
                browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            wide = browser.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                here.append(f"is {wide} pixels wide on a screen of {width}")
        here += browser.evaluate(APPEARANCE)
        if scheme == "light" and is_page:
            browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = false; })")
        if out and name != "small-phone":
            screenshot(browser, out / f"{label}-{name}-{scheme}.png")
        for what in here:
            views_of = wrong.setdefault(what, [])
            if f"{name} {scheme}" not in views_of:
                views_of.append(f"{name} {scheme}")
    if out and is_page:
        # On paper a page is light, also for those who read in dark.
        browser.call("Emulation.setEmulatedMedia", media="",
                     features=[{"name": "prefers-color-scheme", "value": "dark"}])
        data = browser.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        (out / f"{label}.pdf").write_bytes(base64.b64decode(data["data"]))
    return wrong


def main():
    parser = argparse.ArgumentParser(description="Looks at reports in a real browser.")
    parser.add_argument("paths", nargs="+", type=pathlib.Path, help="run folders or files")
    parser.add_argument("--out", type=pathlib.Path, help="folder for screenshots")
    parser.add_argument("--browser", default="chromium")
    options = parser.parse_args()
    command = shutil.which(options.browser)
    if not command:
        parser.error(f"there is no {options.browser}; name another with --browser")
    pages = []
    for path in options.paths:
        if path.is_dir():
            pages += [(file, "-".join(file.relative_to(path).with_suffix("").parts))
                      for file in sorted([*path.rglob("*.html"), *path.rglob("figures/*.svg")])]
        elif path.exists():
            pages.append((path, path.stem))
        else:
            parser.error(f"{path} does not exist")
    if not pages:
        parser.error("there is no report in there")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    browser = Browser(command)
    try:
        for page, label in pages:
            wrong = check(browser, page, options.out, label)
            print(f"{'FAIL' if wrong else 'ok  '} {page}")
            for what, views in wrong.items():
                print(f"     {what} ({', '.join(views)})")
            failed += bool(wrong)
    finally:
        browser.close()
    print(f"{len(pages) - failed} of {len(pages)} in order")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
