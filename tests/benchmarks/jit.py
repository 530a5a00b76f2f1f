"""The notebook's training, compiled as a whole by jax.jit: one variant, `manual-bce` on `unit`, epochs in lax.scan.

    python jit.py RAW_FOLDER EPOCHS

Prints the seconds of the loop without the compilation, the seconds of the compilation, and how many of the training
images it gets right. Runs on as many cores as the process may use.
"""

import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
from plain import NORMALIZATIONS, read

LR, BETA1, BETA2, EPS = 0.002, 0.9, 0.999, 1e-8


def forward(weights, x):
    (w1, b1), (w2, b2) = weights
    return jax.nn.sigmoid(jax.nn.relu(x @ w1 + b1) @ w2 + b2)


def loss_function(weights, x, y):
    yhat = forward(weights, x)
    return -jnp.mean(y * jnp.log(yhat) + (1 - y) * jnp.log(1 - yhat))


def step(state, epoch, x, y):
    weights, means, squares = state
    loss, gradient = jax.value_and_grad(loss_function)(weights, x, y)
    means = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, means, gradient)
    squares = jax.tree.map(lambda s, g: BETA2 * s + (1 - BETA2) * g * g, squares, gradient)
    correct1, correct2 = 1 - BETA1 ** (epoch + 1), 1 - BETA2 ** (epoch + 1)
    weights = jax.tree.map(
        lambda w, m, s: w - LR * (m / correct1) / (jnp.sqrt(s / correct2) + EPS), weights, means, squares
    )
    return (weights, means, squares), loss


def initial_weights():
    keys = jax.random.split(jax.random.key(12345), 2)
    return [
        (jax.random.uniform(key, (inputs, width), minval=-1, maxval=1) / inputs**0.5, jnp.zeros(width))
        for key, inputs, width in zip(keys, (784, 64), (64, 1), strict=True)
    ]


if __name__ == "__main__":
    raw, epochs = sys.argv[1:]
    pixels, labels = read(Path(raw))
    x, y = jnp.asarray(NORMALIZATIONS["unit"](pixels).numpy()), jnp.asarray(labels.numpy())
    weights = initial_weights()
    zeros = jax.tree.map(jnp.zeros_like, weights)
    run = jax.jit(
        lambda state, x, y: jax.lax.scan(lambda state, e: step(state, e, x, y), state, jnp.arange(int(epochs)))
    )
    start = time.perf_counter()
    compiled = run.lower((weights, zeros, zeros), x, y).compile()
    middle = time.perf_counter()
    (weights, _, _), losses = jax.block_until_ready(compiled((weights, zeros, zeros), x, y))
    end = time.perf_counter()
    right = int(((forward(weights, x) > 0.5) == (y == 1)).sum())
    print(end - middle, middle - start, right)
