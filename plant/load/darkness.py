"""When a light sensor says night."""

import numpy as np

from plant.base.jit import kernel


@kernel
def is_dark(light_w_m2: np.ndarray, below_w_m2: float, above_w_m2: float, steps: int) -> np.ndarray:
    """Whether a light sensor says night, shape (n,).

    Parameters
    ----------
    light_w_m2 : (n,) array
        Global horizontal irradiance.
    below_w_m2, above_w_m2 : float
        Night begins when the light has been below the one for so many steps, day when it has been above the other as
        long; before the first step the light is taken to have been as at its first moment.
    steps : int
        At least 1.
    """
    night = np.empty(light_w_m2.size, dtype=np.bool_)
    dark = light_w_m2[0] < below_w_m2
    darker, lighter = 0, 0  # steps so far below, and above
    for k in range(light_w_m2.size):
        darker = darker + 1 if light_w_m2[k] < below_w_m2 else 0
        lighter = lighter + 1 if light_w_m2[k] > above_w_m2 else 0
        if darker >= steps:
            dark = True
        elif lighter >= steps:
            dark = False
        night[k] = dark
    return night
