"""How the C library treats memory that has been freed."""

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
KEPT_BYTES, LARGEST_BLOCK_BYTES = 64 * 2**20, 16 * 2**20


def keep_freed_memory() -> None:
    """Keeps up to 64 MB of freed memory, in blocks of at most 16 MB, for what is allocated next; glibc only.

    By itself glibc gives the end of its heap back as soon as twice its largest block is free there, so that every batch
    of a convolutional network pays for its pages anew, which takes a third of the time of a directional derivative.
    Larger blocks, kept too, would leave gaps between smaller ones and so take more memory.

    As environment variables of the process (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_`) the same numbers also
    hold while libraries are imported, and keep less: 16,000 to 105,000 page faults where this leaves 4,000 to 6,000, of
    150,000 to 180,000 (a small convolutional network, its derivatives in both modes; seen twice).
    """
    with contextlib.suppress(AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def release_freed_memory() -> None:
    """Gives back to the system what was freed and is still held, in which an allocation would not show; glibc only."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
