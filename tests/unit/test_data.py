"""extract and normalize."""

import gzip

import numpy as np
import pytest
import torch

from builders.digits import draw_digits, extracted, write_idx
from common.archives import read_arrays
from common.errors import UserError
from formulas.parsing import parse_normalization
from training.normalization import normalize

LABELS = np.array([1, 0, 2, 1, 0, 0, 1], dtype=np.uint8)


@pytest.fixture
def raw(tmp_path):
    for part in ("train", "test"):
        write_idx(tmp_path / "raw", part, draw_digits(LABELS, np.random.default_rng(1)), LABELS)
    return tmp_path / "raw"


def test_first_class_comes_first_and_file_order_is_kept(raw, tmp_path):
    images = draw_digits(LABELS, np.random.default_rng(1))
    for classes, places in (([0, 1], [1, 4, 5, 0, 3, 6]), ([1, 0], [0, 3, 6, 1, 4, 5]), ([2, 0], [2, 1, 4, 5])):
        digits = extracted("mnist", raw, classes, tmp_path)
        assert digits["train_images"].dtype == torch.uint8
        np.testing.assert_array_equal(digits["train_images"], images[places])
        np.testing.assert_array_equal(digits["train_labels"], LABELS[places] == classes[1])


def test_page_s_images_are_those_that_models_are_trained_on(raw, tmp_path):
    digits = extracted("mnist", raw, [0, 1], tmp_path)
    arrays = read_arrays(tmp_path / "digits.npz")
    assert digits.pop("classes") == [0, 1]
    assert set(arrays) == set(digits)
    for name, tensor in digits.items():
        assert arrays[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(arrays[name], tensor)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"junk", "not a whole gzip file"),
        (gzip.compress(b"x" * 100)[:-20], "not a whole gzip file"),
        (gzip.compress(b""), "not an IDX file"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\x07\0\0\0\x1c\0\0\0\x1cshort"), "not an IDX file"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\x07\0\0\0\x02\0\0\0\x02" + bytes(28)), "expected 28 x 28"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\x01\0\0\0\x1c\0\0\0\x1c" + bytes(784)), "found 7 labels, expected 1"),
    ],
    # Not the bytes: gzip writes the time into them, and two processes must agree on a test's name.
    ids=["junk", "truncated", "empty", "short", "small", "labels"],
)
def test_damaged_image_file_is_named(raw, tmp_path, content, words):
    (raw / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        extracted("mnist", raw, [0, 1], tmp_path)
    assert "train-" in str(error.value)
    assert not list(tmp_path.glob("digits.*"))


def test_missing_digit_is_named(raw, tmp_path):
    with pytest.raises(UserError, match=r"train-labels.*found no image of the digit 7"):
        extracted("mnist", raw, [0, 7], tmp_path)


def test_test_pixels_get_the_statistics_of_the_training_set():
    generator = np.random.default_rng(2)
    train = torch.from_numpy(generator.integers(0, 256, (50, 28, 28), dtype=np.uint8))
    test = torch.from_numpy(generator.integers(0, 100, (20, 28, 28), dtype=np.uint8))
    flat, flat_test = (
        train.numpy().reshape(50, 784).astype(np.float64),
        test.numpy().reshape(20, 784).astype(np.float64),
    )
    formulas = {
        "x": flat_test,
        "x / 255": flat_test / 255,
        "(x - mean) / std": (flat_test - flat.mean()) / flat.std(),
        "(x - min) / (max - min)": (flat_test - flat.min()) / (flat.max() - flat.min()),
        "(x - pixel_mean) / (pixel_std + eps)": (flat_test - flat.mean(0)) / (flat.std(0) + 0.5),
        "x - mean(x)": flat_test - flat.mean(0),
    }
    for formula, expected in formulas.items():
        constants = {"eps": 0.5} if "eps" in formula else {}
        x_train, x_test = normalize(parse_normalization(formula, constants), train, test)
        assert x_train.dtype == x_test.dtype == torch.float32
        assert x_train.shape == (50, 784)
        np.testing.assert_allclose(x_test, expected, rtol=1e-5, atol=1e-5, err_msg=formula)
