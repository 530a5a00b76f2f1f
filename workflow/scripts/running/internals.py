"""What this room uses of Snakemake beyond what its documentation promises.

A release may rename any of it. So it is used only with the versions that the tests ran with, and only if every name is
there; else jobs start slower, and Snakemake's own lines are shown.
"""

from importlib import import_module

import snakemake

TESTED = ("9.27.1",)
EVENTS = ("ERROR", "JOB_ERROR", "JOB_FINISHED", "JOB_INFO", "JOB_STARTED", "PROGRESS", "RESOURCES_INFO", "RUN_INFO")
# {module: names in it; after a dot, an attribute}
NAMES = {
    "snakemake.api": [f"Workflow.{name}" for name in ("execute", "local_exec", "scheduling_settings")],
    "snakemake.benchmark": ["BenchmarkRecord", "benchmarked"],
    "snakemake.script": [f"PythonScript.{name}" for name in ("evaluate", "execute_script", "get_preamble")],
    "snakemake.settings.types": ["SchedulingSettings.max_jobs_per_timespan"],
    "snakemake_interface_logger_plugins.common": [f"LogEvent.{name}" for name in (*EVENTS, "SHELLCMD")],
}
# {module, class: what its __init__ gives each object}
GIVEN = {
    ("snakemake.benchmark", "BenchmarkRecord"): ["cpu_time", "cpu_usage", "data_collected", "max_rss", "running_time"],
    ("snakemake.script", "PythonScript"): (
        ["bench_record", "conda_env", "container_img", "env_modules", "path", "resources", "shadow_dir", "threads"]
    ),
}


def lacking() -> str | None:
    """Why the internals are not to be used, in a few words; None where they may be."""
    version = snakemake.__version__
    if version not in TESTED:
        return f"Snakemake {version} was not tried, {' and '.join(TESTED)} was"
    names = [(module, name, _is_there) for module, of in NAMES.items() for name in of]
    names += [(module, f"{kind}.{name}", _is_given) for (module, kind), of in GIVEN.items() for name in of]
    return next((f"Snakemake has no {module}.{name}" for module, name, found in names if not found(module, name)), None)


def _is_there(module: str, name: str) -> bool:
    try:
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return True


def _is_given(module: str, name: str) -> bool:
    kind, _, given = name.partition(".")
    return _is_there(module, kind) and given in getattr(import_module(module), kind).__init__.__code__.co_names
