"""What a test needs of the machine; where it lacks, the test is skipped."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from builders.places import SHARED

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"

needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason="there is no Chromium at $CHROMIUM or /usr/bin/chromium"
)
needs_shared_mnist = pytest.mark.skipif(
    not (SHARED / "mnist").is_dir(), reason="the four MNIST files are not in ../shared/mnist"
)
on_x86 = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="pixels are packed on x86-64 only"
)
