"""What the tab key reaches on a page."""

from typing import Any


def stops(tab: Any, most: int = 400) -> list[dict[str, Any]]:
    """Where the Tab key goes from the top of the page, in order: what it is, and how its focus shows."""
    reached = []
    for _ in range(most):
        tab.keyboard.press("Tab")
        stop = tab.evaluate(
            """() => {
              const element = document.activeElement;
              const look = getComputedStyle(element), box = element.getBoundingClientRect();
              return {tag: element.tagName,
                text: (element.innerText || element.getAttribute('aria-label') || element.id).slice(0, 40),
                outline: look.outlineStyle === 'none' ? 0 : parseFloat(look.outlineWidth), width: box.width,
                top: box.top, bottom: box.bottom};
            }"""
        )
        if stop["tag"] == "BODY":
            break
        reached.append(stop)
    return reached
