"""plotly.js as it lies in the installed wheel: packed, and under a fingerprint that the page checks."""

import base64
import gzip
import hashlib
from functools import lru_cache
from importlib import resources
from typing import NamedTuple


class Bundle(NamedTuple):
    """plotly.js for one page: gzip in base64, and the SHA-256 by which the page's policy lets it run."""

    packed: str
    policy_hash: str


@lru_cache(maxsize=1)
def plotly_bundle() -> Bundle:
    """Pack the wheel's plotly.min.js; the same wheel gives the same bytes."""
    script = resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    packed = gzip.compress(script, compresslevel=9, mtime=0)
    return Bundle(base64.b64encode(packed).decode("ascii"), policy_hash(script))


def policy_hash(script: bytes) -> str:
    """Write a script's fingerprint as a Content-Security-Policy source."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(script).digest()).decode("ascii") + "'"
