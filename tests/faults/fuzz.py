"""Try bytes on one property, guided by the code that they reach, until it fails or the time is over.

Needs atheris, which has an environment of its own: ``make faults``. Arguments: the property, then libFuzzer's.
"""

import sys

import atheris

with atheris.instrument_imports(include=["receiver"]):
    from faults.properties import PROPERTIES

if __name__ == "__main__":
    program, name, *options = sys.argv
    atheris.Setup([program, *options], PROPERTIES[name])
    atheris.Fuzz()
