"""What of the user's environment the jobs, which inherit this process's, must not depend on.

Imported by the Snakefile: no torch, pandas or matplotlib here.
"""

import os
from pathlib import Path


def keep_out_of_jobs(scripts: Path) -> None:
    """The project's own modules come before those of PYTHONPATH. Python keeps its docstrings and asserts, whatever
    PYTHONOPTIMIZE says: without docstrings Altair cannot be imported."""
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(scripts)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(scripts), *others])
    os.environ.pop("PYTHONOPTIMIZE", None)
