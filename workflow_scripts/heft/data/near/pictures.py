"""Pictures that show the same, but for another compression, size, brightness or contrast, or a shift of one pixel.

Two pictures are near-duplicates where their thumbnails, of at most 16 x 16 pixels with all their channels, correlate at
least 0.995. Pictures of 16 to 64 pixels are compared at each shift of a pixel besides; in larger ones a pixel is none
of a thumbnail's. A thumbnail is all that is compared: objects that are smaller than a sixteenth of the side look alike.

Pairs that were found among different pictures: none in 5,000 MNIST digits and in 1,797 digits of 8 x 8, 1 in 10,000 of
CIFAR-10, 143 in 20,000 of Fashion-MNIST, where many clothes look alike. Copies that were found of 1,000: of JPEG at
quality 75 at least 99.8 % (8 x 8: 64 %), at quality 50 44 % (CIFAR-10) to 100 % (MNIST), of a shift all, of 10 %
brighter ones 95 % (CIFAR-10, where that clips) to 100 %.
"""

import numpy as np

from heft.data.near.components import NO_PAIRS

SIDE = 16  # pixels of a thumbnail
LARGEST_SHIFTED = 64  # pixels
CORRELATION = 0.995
SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1))  # the others are these, with the two pictures exchanged
LEAST_CONTRAST = 0.005  # standard deviation of a picture in 0..1; below it pictures are as good as uniform
N_SAMPLE, N_COMPONENTS, N_NEIGHBOURS, AT_ONCE = 2000, 20, 8, 1000
VALUES_AT_ONCE = 2**22  # of pictures


def similar_pictures(
    inputs: np.ndarray, rows: np.ndarray, scale: np.ndarray | float = 1.0, offset: np.ndarray | float = 0.0
) -> np.ndarray:
    """Pairs of places in `rows` [m, 2] whose pictures, `inputs[row]` [channels, height, width], are near-duplicates.

    A picture in 0..1 is `inputs[row] * scale + offset`; both are a number, or [channels, 1, 1]. Of very many that are
    alike each is paired with the nearest of them alone.
    """
    from scipy.spatial import KDTree

    rows = np.asarray(rows)
    shifts = SHIFTS if SIDE <= min(inputs.shape[2:]) <= LARGEST_SHIFTED else SHIFTS[:1]

    def seen(places: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
        """Thumbnails of the pictures at some places in `rows`."""
        return _in_parts(inputs, rows[places], scale, offset, shift, len(shifts) > 1)

    sample = seen(np.unique(np.linspace(0, len(rows) - 1, N_SAMPLE).astype(int)), shifts[0])
    # A projection brings no two points farther apart: none within the radius is missed by searching there.
    axes = np.linalg.svd(sample, full_matrices=False)[2][:N_COMPONENTS].T
    projected = np.empty((len(shifts), len(rows), axes.shape[1]), np.float32)
    for first in range(0, len(rows), AT_ONCE):
        for nth, shift in enumerate(shifts):
            projected[nth, first : first + AT_ONCE] = (
                seen(np.arange(first, min(first + AT_ONCE, len(rows))), shift) @ axes
            )
    contrasted = np.flatnonzero((projected[0] != 0).any(axis=1))
    tree, found = KDTree(projected[0, contrasted]), []
    radius = np.sqrt(2 - 2 * CORRELATION) * (1 + 1e-6)
    for nth, shift in enumerate(shifts):
        _, near = tree.query(projected[nth, contrasted], k=N_NEIGHBOURS, distance_upper_bound=radius)
        at, column = np.nonzero(near < len(contrasted))
        pairs = np.stack([contrasted[at], contrasted[near[at, column]]], axis=1)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        for first in range(0, len(pairs), AT_ONCE):
            part = pairs[first : first + AT_ONCE]
            correlation = (seen(part[:, 0], shift) * seen(part[:, 1], shifts[0])).sum(axis=1)
            found.append(np.sort(part[correlation >= CORRELATION], axis=1))
    return np.unique(np.concatenate([NO_PAIRS, *found]), axis=0)


def thumbnails(pictures: np.ndarray, shift: tuple[int, int] = (0, 0), cut: bool = False) -> np.ndarray:
    """Thumbnails of pictures [n, channels, height, width] as vectors of mean 0 and length 1, or 0 where uniform.

    cut: without a border of one pixel, so that what `shift` moves away has its place.
    """
    if cut:
        (down, right), (height, width) = shift, pictures.shape[2:]
        pictures = pictures[:, :, 1 + down : height - 1 + down, 1 + right : width - 1 + right]
    small = np.einsum("ih,nchw,jw->ncij", _means(pictures.shape[2]), pictures, _means(pictures.shape[3]), optimize=True)
    vectors = small.reshape(len(small), -1)
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    seen = lengths > LEAST_CONTRAST * np.sqrt(vectors.shape[1])
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=seen)


def _in_parts(
    inputs: np.ndarray,
    rows: np.ndarray,
    scale: np.ndarray | float,
    offset: np.ndarray | float,
    shift: tuple[int, int],
    cut: bool,
) -> np.ndarray:
    """Thumbnails of some rows of inputs, of which a few are in memory at once."""
    parts = np.array_split(rows, -(-len(rows) * inputs[0].size // VALUES_AT_ONCE) or 1)
    scaled = (inputs[part] * np.float32(scale) + np.float32(offset) for part in parts)
    return np.concatenate([thumbnails(pictures, shift, cut) for pictures in scaled])


def _means(size: int) -> np.ndarray:
    """The matrix [pixels of a thumbnail, size] that takes means of neighbours, which share a pixel where need be."""
    edges = np.linspace(0, size, min(size, SIDE) + 1)
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares = np.maximum(overlap, 0)
    means: np.ndarray = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return means
