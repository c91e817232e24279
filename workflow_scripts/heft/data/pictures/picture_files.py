"""Pictures in files, or their content, as a stream of pixels, decoded by several threads, few at a time."""

from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from heft.data.pictures.decode import Fit, Picture, decode, refusing_bombs
from heft.data.row_stream import RowStream, Unreadable

AHEAD = 4  # pictures a thread that are decoded and not yet taken


class PictureFiles(RowStream):
    """The pictures of some files, or of their content, uint8 [3, size, size] each."""

    dtype = np.dtype(np.uint8)

    def __init__(self, pictures: Collection[Path | str | bytes], size: int, fit: Fit) -> None:
        """pictures: files, which take least memory as texts, or their content."""
        self._pictures, self._size, self._fit = pictures, size, fit
        self.shape = (3, size, size)

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, threads: int) -> Iterator[np.ndarray | Unreadable]:
        """Each picture in its order; Pillow decodes without holding Python's lock."""
        n_longer = 0
        for decoded in self._decoded(threads):
            if isinstance(decoded, Picture):
                n_longer += decoded.has_more_frames
                yield decoded.pixels
            else:
                yield decoded
        if n_longer:
            named = "1 picture has" if n_longer == 1 else f"{n_longer:,} pictures have"
            self.notes = [f"{named} several frames or pages, of which the first is taken."]

    def _decoded(self, threads: int) -> Iterator[Picture | Unreadable]:
        waiting: deque[Future[Picture | Unreadable]] = deque()
        with refusing_bombs(), ThreadPoolExecutor(threads) as pool:
            for given in self._pictures:
                picture = Path(given) if isinstance(given, str) else given
                waiting.append(pool.submit(decode, picture, self._size, self._fit))
                if len(waiting) == AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
