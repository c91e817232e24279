"""Pictures of every usual kind become pixels that an independent computation expects; others say why they cannot."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from picture_cases import gradient, save_bomb, save_odd_pictures, save_unreadable
from PIL import Image

from heft.data.pictures.decode import Picture, decode, refusing_bombs
from heft.data.pictures.picture_files import PictureFiles
from heft.data.row_stream import Unreadable

SIDE = 30  # of the square in the middle of `gradient()`, which no fit then scales


def pixels_of(path: Path, size: int = SIDE, fit: str = "crop") -> np.ndarray:
    """[size, size, 3], as a person would see it."""
    decoded = decode(path, size, fit)  # type: ignore[arg-type]
    assert isinstance(decoded, Picture), decoded
    assert (decoded.pixels.dtype, decoded.pixels.shape) == (np.uint8, (3, size, size))
    return np.moveaxis(decoded.pixels, 0, -1)


def middle() -> np.ndarray:
    """The square that `crop` keeps of `gradient()`."""
    return gradient()[:, 5:35]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of unusual pictures."""
    folder = tmp_path_factory.mktemp("odd")
    save_odd_pictures(folder)
    return folder


def test_a_picture_of_the_size_that_is_asked_for_keeps_its_pixels(tmp_path: Path) -> None:
    for end in ("png", "bmp", "tiff", "ppm", "webp", "qoi", "tga"):
        Image.fromarray(middle()).save(tmp_path / f"x.{end}", lossless=True)
        assert np.array_equal(pixels_of(tmp_path / f"x.{end}"), middle()), end


def test_a_picture_turned_by_exif_is_upright(odd: Path, tmp_path: Path) -> None:
    flipped = {
        2: np.fliplr,
        3: lambda shown: np.rot90(shown, 2),
        4: np.flipud,
        5: lambda shown: np.swapaxes(shown, 0, 1),
        6: lambda shown: np.rot90(shown, 1),
        7: lambda shown: np.rot90(np.swapaxes(shown, 0, 1), 2),
        8: lambda shown: np.rot90(shown, 3),
    }
    for orientation, stored in flipped.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(stored(middle()))).save(tmp_path / "x.png", exif=exif)
        assert np.array_equal(pixels_of(tmp_path / "x.png"), middle()), orientation
    assert_allclose(pixels_of(odd / "rotated.jpg").mean((0, 1)), gradient().mean((0, 1)), atol=12)


def test_grey_has_three_equal_channels_and_16_bits_become_8(odd: Path) -> None:
    grey = np.asarray(Image.fromarray(gradient()).convert("L"))[:, 5:35]
    for channel in range(3):
        assert np.array_equal(pixels_of(odd / "grey.png")[..., channel], grey)
    ramp = np.linspace(0, 65535, 1200).reshape(30, 40)[:, 5:35]
    assert np.abs(pixels_of(odd / "16 bits.png")[..., 0] - ramp / 257).max() <= 1
    assert np.abs(pixels_of(odd / "floats.tiff")[..., 0] - ramp / 257).max() <= 1


def test_what_is_transparent_is_white(odd: Path, tmp_path: Path) -> None:
    assert (pixels_of(odd / "transparent.png") == 255).all()
    half = np.dstack([middle(), np.full((SIDE, SIDE), 51, np.uint8)])  # a fifth of the picture, four of white
    Image.fromarray(half).save(tmp_path / "half.png")
    assert np.abs(pixels_of(tmp_path / "half.png") - (middle() / 5 + 204)).max() <= 1


def test_colours_of_print_and_of_palettes_are_near_those_on_a_screen(odd: Path) -> None:
    for name in ("cmyk.jpg", "palette.gif"):
        assert np.abs(pixels_of(odd / name).astype(float) - middle()).mean() < 16, name


def test_of_several_frames_the_first_is_read_and_counted(odd: Path) -> None:
    assert np.array_equal(pixels_of(odd / "animated.webp"), middle())
    paths = sorted(odd.iterdir())
    stream = PictureFiles(paths, 16, "crop")
    assert len(list(stream.read(2))) == len(paths) == len(stream)
    assert stream.notes == ["2 pictures have several frames or pages, of which the first is taken."]


def test_every_odd_picture_is_read(odd: Path) -> None:
    for path in odd.iterdir():
        assert pixels_of(path, 16).std() > 0 or path.name == "transparent.png"


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    names = save_unreadable(tmp_path)
    with refusing_bombs():
        decoded = {name: decode(tmp_path / name, 8, "crop") for name in names}
    reasons = {name: read.reason for name, read in decoded.items() if isinstance(read, Unreadable)}
    assert reasons == {
        "bomb.png": "it says that it has 2,500,000,000 pixels (at most 89,478,485 are decoded)",
        "cut.jpg": "the file is cut",
        "cut.png": "the file is cut",
        "drawing.svg": "SVG is not read (convert it to JPEG or PNG)",
        "empty.jpg": "the file is empty",
        "header.png": "the file is cut",
        "nothing.png": "it is a link to nothing",
        "phone.heic": "HEIC is not read (convert it to JPEG or PNG)",
        "text.png": "it is not a picture in a format that is read",
    }


def test_a_file_of_random_or_changed_bytes_is_read_or_says_why(tmp_path: Path, odd: Path) -> None:
    generator = np.random.default_rng(0)
    path = tmp_path / "x"
    for whole in sorted(odd.iterdir()):
        for _ in range(8):
            content = np.frombuffer(whole.read_bytes(), np.uint8).copy()
            places = generator.integers(0, len(content), 4)
            content[places] = generator.integers(0, 256, 4)
            path.write_bytes(content.tobytes())
            with refusing_bombs():
                decode(path, 8, "crop")


def test_a_picture_too_large_is_refused_by_its_header_and_nothing_is_warned(tmp_path: Path) -> None:
    for side, refused in ((9000, False), (9500, True), (14000, True)):
        save_bomb(tmp_path / "x.png", side)
        with warnings.catch_warnings(), refusing_bombs():
            read = decode(tmp_path / "x.png", 8, "crop") if refused else Image.open(tmp_path / "x.png").size
        assert (isinstance(read, Unreadable) and f"{side * side:,} pixels" in read.reason) == refused


def test_crop_cuts_squash_squeezes_and_pad_adds_black(tmp_path: Path) -> None:
    stripes = np.zeros((40, 120, 3), np.uint8)
    stripes[:, :40], stripes[:, 40:80], stripes[:, 80:] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    Image.fromarray(stripes).save(tmp_path / "x.png")
    assert np.array_equal(pixels_of(tmp_path / "x.png", 40, "crop"), stripes[:, 40:80])
    squashed = pixels_of(tmp_path / "x.png", 30, "squash")
    assert np.array_equal(squashed[:, [5, 15, 25]], np.broadcast_to(stripes[:30, [0, 50, 100]], (30, 3, 3)))
    padded = pixels_of(tmp_path / "x.png", 30, "pad")
    assert (padded[:10] == 0).all()
    assert (padded[20:] == 0).all()
    assert np.array_equal(padded[15, [5, 15, 25]], stripes[0, [0, 50, 100]])


def test_a_large_jpeg_keeps_what_it_shows(tmp_path: Path) -> None:
    large = np.asarray(Image.fromarray(gradient(100, 75)).resize((2000, 1500), Image.Resampling.BICUBIC))
    Image.fromarray(large).save(tmp_path / "x.jpg", quality=95)
    whole = Image.fromarray(large[:, 250:1750]).resize((32, 32), Image.Resampling.BICUBIC)
    assert np.abs(pixels_of(tmp_path / "x.jpg", 32).astype(float) - np.asarray(whole)).max() <= 4


def test_the_number_of_threads_changes_nothing(odd: Path) -> None:
    paths = sorted(odd.iterdir()) * 3
    one, four = (list(PictureFiles(paths, 12, "crop").read(threads)) for threads in (1, 4))
    assert all(np.array_equal(row, other) for row, other in zip(one, four, strict=True))
