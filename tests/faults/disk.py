"""A file system of our own in a file: it can be full, and it can lose power."""

import os
import shutil
import subprocess
from pathlib import Path

from receiving import wait_until

IMAGE_BYTES = 2 * 1024**3  # sparse
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-m", "0"],  # no blocks set aside for root
    "xfs": ["mkfs.xfs", "-q", "-f"],
}


class Disk:
    """A mounted file system; needs root.

    Parameters
    ----------
    place : Path, a folder for the image and the mount point
    kind : str, ``ext4`` or ``xfs``

    Attributes
    ----------
    folder : Path, where it is mounted
    """

    def __init__(self, place: Path, kind: str) -> None:
        missing = [tool for tool in (MAKE[kind][0], "xfs_io", "mount") if not shutil.which(tool)]
        assert not missing, f"{missing} not found: install e2fsprogs and xfsprogs, or run `make faults`."
        assert os.geteuid() == 0, "Mounting a file system needs root: run `sudo make faults`."
        self._image, self.folder = place / "disk.image", place / "disk"
        with self._image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        self.folder.mkdir()
        subprocess.run([*MAKE[kind], self._image], check=True, stdout=subprocess.DEVNULL)
        self.mount()

    def mount(self) -> None:
        """Mount it; after a power cut the file system first repairs itself from its own journal."""
        subprocess.run(["mount", "-o", "loop", self._image, self.folder], check=True)

    def cut_power(self) -> None:
        """Let nothing that is not on disk yet reach it any more."""
        subprocess.run(["xfs_io", "-x", "-c", "shutdown", self.folder], check=True)

    def unmount(self) -> None:
        """Unmount it, once the last process that was killed has let go of its files."""
        command = ["umount", self.folder]
        wait_until(lambda: subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0)

    def remove(self) -> None:
        """Unmount it and give back its space."""
        self.unmount()
        self._image.unlink()

    def fill(self, free_bytes: int) -> Path:
        """Take all space but this much with one file, whose path is returned: unlink it to make room again."""
        file = self.folder / "filler"
        size = shutil.disk_usage(self.folder).free - free_bytes
        subprocess.run(["fallocate", "-l", str(size), file], check=True)
        return file
