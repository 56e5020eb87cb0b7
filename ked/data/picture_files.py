"""Files of pictures, from anybody: looked at before they are decoded, then upright, in greys or colours, and without holes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps

GROUND = "white"  # what lies under pictures that can be seen through, as on a page
_GREYS = ("1", "L", "LA")
_DEEP = ("I", "F")  # how the names of Pillow's modes with more than 8 bits begin

# Of a picture with too many pixels Pillow raises an error, of one with half as many it only warns: both are refused here.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class UnusablePicture(ValueError):
    """A file that is no picture to be used.

    Attributes:
        found: What is wrong with it, to go after its name in a sentence.
        allowed: What would be right.
    """

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(f"{found}, but {allowed}")
        self.found, self.allowed = found, allowed


def read(file: Path | IO[bytes], formats: tuple[str, ...], side: int, *, upright: bool = True, shrink: bool = False) -> Image.Image:
    """The picture in a file, of an animated one the first frame: mode "L" where it has no colours by its own account, else "RGB".

    Args:
        file: What is in it is not believed: its size is looked at before anything is decoded.
        formats: Pillow's names of the kinds that are allowed.
        side: Rows and columns that it may have at most.
        upright: Whether it is turned as its EXIF entry says.
        shrink: Whether a photograph (JPEG) with more is decoded with a half, a quarter or an eighth of them.

    Raises:
        UnusablePicture: It is none of these kinds, broken, cut short, too large, has more than 8 bits for a colour, or shows nothing
            on white although it is not empty.
        OSError: The file is there but cannot be read.
    """
    try:
        with Image.open(file, formats=formats) as picture:
            if shrink:
                _shrink(picture, side)
            _check(picture, side)
            return _on_ground(ImageOps.exif_transpose(picture) if upright else picture)
    except UnusablePicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large("has too many pixels", side) from None
    except Exception as error:  # Pillow raises whatever damaged bytes lead to: OSError, SyntaxError, struct.error, IndexError, ...
        if isinstance(error, OSError) and error.errno:  # the disk's own, not Pillow's
            raise
        raise _unreadable(formats) from error


def size(file: IO[bytes], formats: tuple[str, ...]) -> tuple[int, int]:
    """Rows and columns of a picture by its own account; nothing is decoded.

    Raises:
        UnusablePicture: It is none of these kinds, or its header is broken.
    """
    try:
        with Image.open(file, formats=formats) as picture:
            return picture.height, picture.width
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return 1 << 16, 1 << 16  # `read` refuses it
    except Exception as error:  # as there
        raise _unreadable(formats) from error


def _unreadable(formats: tuple[str, ...]) -> UnusablePicture:
    kinds = (" and " if len(formats) == 2 else ", ").join(formats)
    return UnusablePicture("is no picture that can be read", f"only {kinds} files are allowed")


def _shrink(picture: Image.Image, side: int) -> None:
    """A large photograph is decoded smaller, which JPEG can do by halves, and takes no more memory than a small one."""
    times = next((times for times in (2, 4, 8) if max(picture.size) <= times * side), 1)
    if max(picture.size) > side and picture.format in ("JPEG", "MPO"):
        picture.draft(None, (picture.width // times, picture.height // times))  # None: its colours as they are


def _check(picture: Image.Image, side: int) -> None:
    if max(picture.size) > side:
        raise _too_large(f"has {picture.width} x {picture.height} pixels", side)
    if picture.mode.startswith(_DEEP):
        raise UnusablePicture("has more than 8 bits for a colour", "8 are allowed")


def _too_large(found: str, side: int) -> UnusablePicture:
    return UnusablePicture(found, f"at most {side} x {side} are allowed")


def _on_ground(picture: Image.Image) -> Image.Image:
    """In greys or colours; what can be seen through shows the ground."""
    mode = "L" if picture.mode in _GREYS else "RGB"
    if not picture.has_transparency_data:
        return picture.convert(mode)
    seen = picture.convert("RGBA")
    laid = Image.alpha_composite(Image.new("RGBA", seen.size, GROUND), seen)
    if _is_even(laid) and not _is_even(seen):  # else all such pictures would be one and the same
        raise UnusablePicture(f"shows nothing on {GROUND}", f"a figure that differs from {GROUND} is needed")
    return laid.convert(mode)


def _is_even(picture: Image.Image) -> bool:
    """Whether all pixels are the same, those that cannot be seen too."""
    return all(channel.getextrema()[0] == channel.getextrema()[1] for channel in picture.split())
