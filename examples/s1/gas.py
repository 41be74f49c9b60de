"""Windows of a small metal-oxide gas sensor array, made from a physical model.

One window is 48 readings, 2 s apart, of 8 channels:
  0..5  log conductance ratio ln(G/G0) of six metal-oxide sensors with unlike selectivity and speed
  6     air temperature, (T - 25 C) / 15 C
  7     relative humidity, (RH - 50 %) / 30 %
The answer is the concentration of the target gas at the last reading, in ppm.

Physics, per sensor i (constants in SENSORS below):
  steady state   s_i = n_i ln(1 + c_target/k_i + c_other/q_i) + h_i H + u_i U
                 (power law of the surface reaction; H, U: channels 7 and 6)
  response       ds/dt = (s_i - s) / tau, tau = rise_i when s grows, fall_i when it decays
                 (adsorption is faster than desorption, so a sensor remembers the last minute)
  reading        s + offset of this unit (drift of G0) + white noise
The last reading alone is therefore not enough: the network has to undo the lag over time, and to
tell the target gas from a second one that moves the same sensors.
"""

import numpy as np

STEPS, CHANNELS, PERIOD = 48, 8, 2.0
WARM_UP = 72  # readings before the window, so that a window starts with a history

#        n     k(ppm) q(ppm) h      u     rise(s) fall(s)
SENSORS = np.array([
    [0.90,  1.2,  60.0,  0.20,  0.15,   8.0,  30.0],
    [0.75,  0.6,  12.0,  0.35,  0.10,  14.0,  55.0],
    [1.10,  4.0,   8.0,  0.10,  0.20,   6.0,  18.0],
    [0.60,  0.9,  90.0,  0.45, -0.10,  24.0,  80.0],
    [0.95, 30.0,   3.0,  0.15,  0.25,  10.0,  40.0],
    [0.80,  2.5,  20.0, -0.25,  0.30,  18.0,  35.0],
])
NOISE, DRIFT = 0.015, 0.02


def exposure(rng, n, steps, top):
    """Concentration over time (n, steps): up to three plumes of ramp, plateau and decay."""
    t = np.arange(steps)[None, :] * PERIOD
    total = np.zeros((n, steps))
    for _ in range(3):
        present = rng.random((n, 1)) < 0.6
        start = rng.uniform(-40.0, steps * PERIOD, (n, 1))
        ramp = rng.uniform(2.0, 30.0, (n, 1))
        hold = rng.uniform(0.0, 90.0, (n, 1))
        fade = rng.uniform(5.0, 40.0, (n, 1))
        peak = top * rng.random((n, 1)) ** 1.5
        up = np.clip((t - start) / ramp, 0.0, 1.0)
        down = np.exp(-np.maximum(t - start - ramp - hold, 0.0) / fade)
        total += present * peak * up * down
    return total


def windows(seed, n):
    """n windows (n, 8, 1, 48) float32 and their answers (n, 1) float32, in ppm."""
    rng = np.random.Generator(np.random.PCG64(seed))
    steps = WARM_UP + STEPS
    target, other = exposure(rng, n, steps, 16.0), exposure(rng, n, steps, 40.0)
    temperature = rng.uniform(-1.0, 1.0, (n, 1)) + 0.1 * np.cumsum(
        rng.normal(0.0, 0.05, (n, steps)), axis=1)
    humidity = rng.uniform(-1.0, 1.0, (n, 1)) + 0.1 * np.cumsum(
        rng.normal(0.0, 0.05, (n, steps)), axis=1)
    gain, k, q, h, u, rise, fall = SENSORS.T[:, None, :]
    steady = gain * np.log(1.0 + target[..., None] / k[0] + other[..., None] / q[0])
    steady += h * humidity[..., None] + u * temperature[..., None]

    state, seen = steady[:, 0], []
    for t in range(steps):
        change = steady[:, t] - state
        state = state + change * (1.0 - np.exp(-PERIOD / np.where(change > 0, rise, fall)))
        seen.append(state)
    sensors = np.stack(seen, axis=1) + rng.normal(0.0, DRIFT, (n, 1, len(SENSORS)))
    sensors += rng.normal(0.0, NOISE, sensors.shape)

    x = np.concatenate([sensors, temperature[..., None], humidity[..., None]], axis=2)[:, WARM_UP:]
    return (np.ascontiguousarray(x.transpose(0, 2, 1)[:, :, None, :]).astype(np.float32),
            target[:, -1:].astype(np.float32))
