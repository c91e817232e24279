"""Runs the Python blocks of a page, one after another in one namespace: `run_page.py docs/from_python.md`."""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(page: Path) -> int:
    """Returns how many blocks ran; an error in one is raised as it is."""
    names: dict[str, object] = {"__name__": "__main__"}
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    return len(blocks)


if __name__ == "__main__":
    if not run_page(Path(sys.argv[1])):
        sys.exit(f"{sys.argv[1]} has no Python block")
