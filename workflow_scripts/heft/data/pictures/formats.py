"""Which files are pictures, by the ends of their names, and which of those can be read."""

from pathlib import Path

# What Pillow reads by itself: EPS would run a program, and others are no pictures of a camera or a screen.
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TGA", "TIFF", "WEBP")
READ = {
    *(".apng", ".avif", ".bmp", ".dib", ".gif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".tga", ".tif", ".tiff", ".webp"),
}
NOT_READ = {
    ".arw": "Sony raw",
    ".cr2": "Canon raw",
    ".cr3": "Canon raw",
    ".dcm": "DICOM",
    ".dng": "DNG raw",
    ".eps": "EPS",
    ".heic": "HEIC",
    ".heif": "HEIF",
    ".jxl": "JPEG XL",
    ".nef": "Nikon raw",
    ".pdf": "PDF",
    ".psd": "Photoshop",
    ".svg": "SVG",
}


def is_picture(path: Path) -> bool:
    """Whether a file is to be a picture; one whose name has no end is asked for its first bytes."""
    end = path.suffix.lower()
    return end in READ or end in NOT_READ or (not end and _begins_as_one(path))


def _begins_as_one(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path, formats=[name for name in FORMATS if name != "TGA"]):  # which begins as anything may
            return True
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
