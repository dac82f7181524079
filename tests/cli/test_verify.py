"""`ctm verify`: every captured file is there, and as it was written."""

import shutil
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def test_verify_finds_a_flipped_bit_and_says_which_file(ctm, tmp_path):
    data = tmp_path / "sample"
    shutil.copytree(SAMPLE, data)
    sound = ctm("verify", "--data", data)
    assert (sound.exit_code, ": 0 lost, 0 stored twice." in sound.text) == (0, True)
    damaged = next(
        path for path in sorted(data.glob("events/recent/*/*.parquet")) if path.stat().st_size > 50_000
    )
    content = bytearray(damaged.read_bytes())
    content[5_000] ^= 1
    damaged.write_bytes(content)
    broken = ctm("verify", "--data", data)
    assert broken.exit_code == 1
    assert damaged.name in broken.text
    compacted = ctm("compact", "--data", data)
    assert compacted.exit_code == 0
    assert "1 file could not be read and stayed. `ctm verify` says which" in compacted.stderr
    again = ctm("verify", "--data", data)
    assert (again.exit_code, damaged.name in again.text) == (1, True)
