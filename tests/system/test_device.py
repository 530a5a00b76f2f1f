"""A run whose device is not there."""

from builders.reading import read_json
from builders.workflows import Workflow
from training import device

REAL = [name for name in device.available() if name != "cpu"]


def test_device_that_is_not_there_is_one_line_and_auto_takes_what_is(finished, tmp_path):
    missing = next(name for name in ("cuda", "mps") if name not in REAL)
    config = finished.config | {"defaults": finished.config["defaults"] | {"device": missing}}
    config["variants"] = {"good": config["variants"]["good"], "auto": config["variants"]["good"] | {"device": "auto"}}
    workflow = Workflow(tmp_path / "asked", config)
    planned = workflow.ok("--dry-run", "--quiet", "reason").stdout
    # Of a variant, the trainings of two models, and the diagnosis, which may train more.
    assert planned.count("gpu=1") == 3 * (1 + (REAL != []))
    trained = [f"results/variants/{name}/metrics.json" for name in ("good", "auto")]
    result = workflow.run("--cores", "2", "--keep-going", *trained)
    assert result.returncode == 1
    there = ", ".join(device.available())
    errors = [line for line in (result.stdout + result.stderr).splitlines() if "error: " in line]
    assert any(f"variant good: device: found {missing}, expected one of: {there}" in line for line in errors), errors
    assert "Traceback" not in result.stdout + result.stderr
    metrics = read_json(workflow / "results/variants/auto/metrics.json")
    assert metrics["settings"]["device"] == "auto"
    assert metrics["device"].split()[0] == (REAL[0] if REAL else "cpu")
