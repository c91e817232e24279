"""Folders of pictures as people have them, with each fault that a file may have."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from heft.registry import find

COLOURS = {"red": (200, 30, 40), "green": (40, 160, 60), "blue": (30, 60, 190)}
# Names of classes as people write them.
NAMES = ["two words", 'say "cheese"', "a\nb", "собака", "猫 🐈", "it's <b>", "=1+1"]


def gradient(width: int = 40, height: int = 30, seed: int = 0) -> np.ndarray:
    """A picture that is the same under no rotation, uint8 [height, width, 3]."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    noise = np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    return (np.stack([200 * x, 200 * y, 100 * (1 - x)], axis=-1) + noise).astype(np.uint8)


def save_pictures(folder: Path, label: str, n: int, first: int = 0, size: tuple[int, int] = (20, 16)) -> None:
    """Saves n small PNG of one class, which differ in their noise."""
    (folder / label).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + n):
        Image.fromarray(gradient(*size, seed=1000 * sum(map(ord, label)) + number)).save(
            folder / label / f"{number:03d}.png"
        )


def save_bomb(path: Path, side: int = 50_000) -> None:
    """A PNG of a few bytes that says that it has side x side pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def save_odd_pictures(folder: Path) -> list[str]:
    """Pictures that are unusual and can be read; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(gradient())
    grey = np.linspace(0, 65535, 1200).reshape(30, 40)
    picture.convert("L").save(folder / "grey.png")
    picture.convert("1").save(folder / "one bit.png")
    picture.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    picture.convert("P").save(folder / "palette.gif")
    picture.convert("LA").save(folder / "grey alpha.png")
    Image.fromarray(grey.astype(np.uint16)).save(folder / "16 bits.png")
    Image.fromarray(grey.astype(np.float32)).save(folder / "floats.tiff")
    frames = [Image.fromarray(gradient(seed=seed)) for seed in range(3)]
    frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)
    alpha = np.dstack([gradient(), np.full((30, 40), 0, np.uint8)])
    Image.fromarray(alpha).save(folder / "transparent.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "rotated.jpg", exif=exif, quality=95)
    picture.save(folder / "no end", format="PNG")
    picture.save(folder / "wrong end.jpg", format="BMP")
    picture.save(folder / 'it\'s "so"\nlong – 猫.png')
    picture.resize((1, 500)).save(folder / "narrow.png")
    return sorted(path.name for path in folder.iterdir())


def save_unreadable(folder: Path) -> list[str]:
    """Files that are called pictures and cannot be read; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(gradient()).save(folder / "whole.jpg")
    Image.fromarray(gradient()).save(folder / "whole.png")
    for name, share in (("cut.jpg", 0.5), ("cut.png", 0.7), ("header.png", 0.02)):
        content = (folder / f"whole.{name[-3:]}").read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])
    for name in ("whole.jpg", "whole.png"):
        (folder / name).unlink()
    (folder / "empty.jpg").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "drawing.svg").write_text("<svg/>")
    (folder / "nothing.png").symlink_to("nowhere.png")
    save_bomb(folder / "bomb.png")
    return sorted(path.name for path in folder.iterdir())


def save_nasty_folder(folder: Path, each: int = 12) -> None:
    """Class folders with all of these, duplicates, and files that are no pictures."""
    for name in NAMES:
        save_pictures(folder, name, each)
    save_odd_pictures(folder / NAMES[0])
    save_unreadable(folder / NAMES[1])
    save_unreadable(folder / "all broken")
    (folder / "empty class").mkdir()
    (folder / NAMES[2] / "deeper").mkdir()
    same = (folder / NAMES[2] / "000.png").read_bytes()
    (folder / NAMES[2] / "deeper/again.png").write_bytes(same)
    (folder / NAMES[3] / "copy of another class.png").write_bytes(same)
    (folder / NAMES[4] / "circle").symlink_to(folder / NAMES[4])
    (folder / NAMES[4] / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / NAMES[4] / "notes.txt").write_text("mine")
    (folder / ".hidden").mkdir()
    save_pictures(folder / ".hidden", "x", 2)
    (folder / NAMES[0] / ".DS_Store").write_bytes(b"\0")
    Image.fromarray(gradient()).save(folder / "in no class.png")
    (folder / "README").write_text("mine")


def image_folder(path: str, **options: Any) -> Any:
    """What the source returns, before any picture is read."""
    return find("data/sources", "image_folder").load()(None, path=path, **options)


def save_pets(*parts: str) -> None:
    """Two cats and two dogs below `pets`, or below each of some folders in it."""
    for part in parts or ("",):
        for label in ("cat", "dog"):
            save_pictures(Path("pets", part), label, 2)


def write_table(text: str, name: str = "pets.csv") -> str:
    """Writes a CSV file; its name."""
    Path(name).write_text(text, encoding="utf-8")
    return name
