"""Where float32 runs out: the logits at which the sigmoid is exactly 1 or 0. No torch here."""

import math

# sigmoid(z) = 1 / (1 + exp(-z)). The float32 numbers next to 1 are 1 - 2**-24 below and 1 + 2**-23 above, so that
# 1 + exp(-z) is rounded to 1 (to the even neighbour, at the tie) as soon as exp(-z) <= 2**-24, that is z >= 24 ln 2.
ONE_LOGIT = 24 * math.log(2)
# exp(-z) overflows float32 at 2**128, that is z <= -128 ln 2, and 1 / (1 + inf) is 0.
ZERO_LOGIT = -128 * math.log(2)
LARGEST = (2 - 2**-23) * 2.0**127
SMALLEST = 2.0**-149  # beside 0
SMALLEST_NORMAL = 2.0**-126  # below it, fewer than 24 bits are left
HALF = 2.0**-24  # up to so far from 0, on either side, float32 rounds ŷ to exactly 0.5
