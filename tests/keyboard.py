"""What the tab key reaches on a page."""

from typing import Any


def stops(tab: Any, most: int = 400) -> list[dict[str, Any]]:
    """Where the Tab key goes from the top of the page, in order: what it is, and how its focus shows."""
    found = []
    for _ in range(most):
        tab.keyboard.press("Tab")
        stop = tab.evaluate(
            """() => {
              const one = document.activeElement, look = getComputedStyle(one), box = one.getBoundingClientRect();
              return {tag: one.tagName, text: (one.innerText || one.getAttribute('aria-label') || one.id).slice(0, 40),
                outline: look.outlineStyle === 'none' ? 0 : parseFloat(look.outlineWidth), width: box.width,
                top: box.top, bottom: box.bottom};
            }"""
        )
        if stop["tag"] == "BODY":
            break
        found.append(stop)
    return found
