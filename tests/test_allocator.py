"""Freed memory is kept for what comes next."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

import heft

LOOP = """
import resource
def blocks():
    return [bytearray(12 * 2**20) for _ in range(4)]
blocks()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    blocks()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
KEEPING = "from heft.scoring.memory import keep_freed_memory\nkeep_freed_memory()\n"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_blocks_that_are_allocated_again_touch_no_new_pages() -> None:
    assert page_faults(KEEPING + LOOP) < page_faults(LOOP) / 10


def page_faults(code: str) -> int:
    folder = Path(heft.__file__ or "").parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    return int(done.stdout)
