"""What a training writes of its model, and what is read again."""

import json
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from train import train

from builders.training import data, drawn, formula, settings, trained
from common.archives import read_arrays
from common.errors import UserError
from common.files import SUMS, write_sums
from findings.judging import judged
from findings.task import task
from records.strict import as_json
from records.training import MODEL_FILES
from training.trained import Trained, load, save

# What is trained, and with how many times larger pixels.
MODELS = {
    "finished": ({}, 1.0),
    "network of one layer": ({"hidden": [], "epochs": 9}, 1.0),
    "random slopes": ({"activation": ["RReLU", []]}, 1.0),
    "comes to rest": ({"loss_definition": formula("mean(relu(abs(yhat - y) - 0.9))"), "epochs": 40}, 1.0),
    "diverged": ({"lr": 0.1, "epochs": 60}, 50.0),
    "diverged at once": ({}, 1000.0),
    "diverged by the last step": ({"loss_definition": formula("sqrt(0 * mean(yhat))"), "epochs": 1}, 1.0),
    "infinite": ({"loss_definition": formula("mean(exp(1000 * (yhat + 1)))")}, 1.0),
}


@cache
def model(name: str) -> Trained:
    changes, scale = MODELS[name]
    return trained(settings(**changes), data(scale=scale))


def write(trained: Trained, folder: Path) -> Path:
    save(trained, {key: folder / file for key, file in MODEL_FILES.items()})
    return folder


def bits(value):
    """Of a field of a model, what tells it from any other, the sign of a zero and a NaN among it."""
    if isinstance(value, torch.Tensor):
        return value.dtype, tuple(value.shape), value.contiguous().numpy().tobytes()
    if isinstance(value, dict):
        return [(name, bits(tensor)) for name, tensor in value.items()]
    if isinstance(value, tuple):
        return [bits(tensor) for tensor in value]
    return repr(value)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_saved_is_loaded_again_to_the_bit(name, tmp_path):
    loaded = load(write(model(name), tmp_path))
    for field in fields(Trained):
        if field.name != "optimizer":  # of a model that is read, nobody asks for it
            assert bits(getattr(loaded, field.name)) == bits(getattr(model(name), field.name)), field.name
    assert loaded.optimizer is None


@pytest.mark.parametrize("name", MODELS)
def test_diagnosis_of_a_loaded_model_is_that_of_the_one_in_memory(name, tmp_path):
    changes, scale = MODELS[name]
    same = task(settings(**changes), data(scale=scale))
    outcomes = [judged(one, same, train).outcome for one in (model(name), load(write(model(name), tmp_path)))]
    texts = [json.dumps(as_json(outcome), allow_nan=False) for outcome in outcomes]
    assert texts[0] == texts[1]


def refused(folder: Path, words: str) -> None:
    with pytest.raises(UserError) as complaint:
        load(folder)
    assert words in str(complaint.value)
    assert "\n" not in str(complaint.value)
    assert f"{folder}" in str(complaint.value) and "rm -r" in str(complaint.value)


def seal(folder: Path) -> None:
    """The sums of the texts that are there, whoever wrote them."""
    write_sums(folder / SUMS, [folder / MODEL_FILES[key] for key in ("history", "training")])


ARCHIVES = ("model", "broken", "predictions", "tensors")


@pytest.mark.parametrize("names", [("finished", "diverged"), ("diverged", "finished")])
@pytest.mark.parametrize("keys", [*((key,) for key in ARCHIVES[1:]), ARCHIVES])
def test_files_of_a_model_that_diverged_beside_one_that_did_not_are_refused(names, keys, tmp_path):
    mine, other = (write(model(name), tmp_path / name) for name in names)
    for key in keys:
        (mine / MODEL_FILES[key]).write_bytes((other / MODEL_FILES[key]).read_bytes())
    refused(mine, "training.json: damaged: not of the same training as the files beside it")


@pytest.mark.parametrize("key", ["model", "broken"])
def test_weights_of_another_network_are_refused(key, tmp_path):
    name = "finished" if key == "model" else "diverged"
    changes, scale = MODELS[name]
    mine = write(model(name), tmp_path / "mine")
    for hidden in ([4], [8, 4], []):
        other = write(trained(settings(**changes, hidden=hidden), data(scale=scale)), tmp_path / "other")
        (mine / MODEL_FILES[key]).write_bytes((other / MODEL_FILES[key]).read_bytes())
        refused(mine, "training.json: damaged: not of the same training as the files beside it")


@pytest.mark.parametrize("key", ["predictions", "tensors"])
def test_arrays_of_other_images_are_refused(key, tmp_path):
    mine = write(model("finished"), tmp_path / "mine")
    other = write(trained(settings(), drawn(n=80, m=20)), tmp_path / "other")
    (mine / MODEL_FILES[key]).write_bytes((other / MODEL_FILES[key]).read_bytes())
    refused(mine, "of shape (80,), expected 60 values")


@pytest.mark.parametrize(
    ("key", "name", "length"),
    [
        *(("predictions", name, 60) for name in ("train", "last_finite")),
        ("predictions", "test", 20),
        *(("tensors", name, 60) for name in ("logits", "broke_logits", "broke_yhat")),
        ("tensors", "test_answers", 20),
    ],
)
def test_array_of_another_length_is_refused(key, name, length, tmp_path):
    folder = write(model("diverged"), tmp_path)
    path = folder / MODEL_FILES[key]
    arrays = read_arrays(path)
    np.savez(path, **arrays | {name: arrays[name][:-1]})
    refused(folder, f"{path}: damaged: found {name} of shape ({length - 1},), expected {length} values")
    np.savez(path, **arrays | {name: arrays[name][:, None]})
    refused(folder, f"found {name} of shape ({length}, 1), expected {length} values")
    np.savez(path, **{other: array for other, array in arrays.items() if other != name})
    refused(folder, "training.json: damaged: not of the same training as the files beside it")


@pytest.mark.parametrize(
    "change",
    {
        "a row less": lambda text: text[: text[:-1].rindex("\n") + 1],
        "a row more": lambda text: text + "12" + text[text[:-1].rindex("\n") + 3 :],
        "a row twice": lambda text: text.replace("\n3,", "\n2,"),
        "another column": lambda text: text.replace("min_logit", "least_logit"),
        "a cell less": lambda text: text[: text.rindex(",")] + "\n",
        "a word": lambda text: text[:-1] + "x\n",
        "an empty line": lambda text: text + "\n",
        "nothing": lambda text: "",
        "the seeds of old": lambda text: text.replace("\n", "\n7,").replace("epoch", "seed,epoch")[:-2],
    }.items(),
    ids=lambda change: change[0],
)
def test_history_of_other_rows_is_refused(change, tmp_path):
    folder = write(model("finished"), tmp_path)
    path = folder / MODEL_FILES["history"]
    path.write_text(change[1](path.read_text()))
    refused(folder, f"{path}: damaged: not what SHA256SUMS beside it says")
    seal(folder)
    refused(folder, f"{path}: damaged: found other columns or rows than epoch,loss,accuracy")
