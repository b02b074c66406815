"""Reading and writing pictures: header, decode, color, scale, fingerprint, encode, xmp; one verb a file, no Django."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""A contiguous picture of shape (height, width, 3), BGR, values 0 to 255."""

Samples: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
"""Grey of shape (height, width), RGB (height, width, 3) or CMYK (height, width, 4), in the depth of its file."""
