"""The program `ctm`, also as ``python -m ctm_analytics``."""

import sys


def main() -> None:
    """Run `ctm`, or say what is missing where only the receiver was installed."""
    try:
        from ctm_analytics.cli.main import main as run
    except ModuleNotFoundError as error:
        sys.exit(
            f"ctm: {error.name} is not installed. Install the workbench: pip install 'ctm-analytics[workbench]'."
        )
    run()


if __name__ == "__main__":
    main()
