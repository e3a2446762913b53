"""Hash luck: uniform, independent between neighbours, and equal whatever the batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from motorpool.outcomes import randomness


def test_uniform_values_pass_a_distribution_test_over_counters_and_over_seeds():
    over_counters = np.asarray(randomness.hashed_uniform(7, np.arange(200_000)))
    over_seeds = np.asarray(randomness.hashed_uniform(np.arange(200_000, dtype=np.uint32), 3))
    for values in (over_counters, over_seeds):
        assert 0.0 < values.min() and values.max() < 1.0
        assert stats.kstest(values, "uniform").pvalue > 0.001
        counts = np.histogram(values, bins=1000, range=(0.0, 1.0))[0]
        assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("lag", [1, 2, 3, 7, 16, 128])
def test_neighbouring_counters_and_neighbouring_seeds_are_independent(lag: int):
    grid = np.asarray(randomness.hashed_uniform(np.arange(600)[None, :], np.arange(600)[:, None]))
    limit = 4.0 / np.sqrt(grid[lag:].size)
    assert abs(np.corrcoef(grid[lag:].ravel(), grid[:-lag].ravel())[0, 1]) < limit
    assert abs(np.corrcoef(grid[:, lag:].ravel(), grid[:, :-lag].ravel())[0, 1]) < limit
    assert abs(np.corrcoef(grid[lag:, lag:].ravel(), grid[:-lag, :-lag].ravel())[0, 1]) < limit
    pairs = np.histogram2d(grid[lag:].ravel(), grid[:-lag].ravel(), bins=20, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(pairs.ravel()).pvalue > 0.001


def test_one_flipped_input_bit_flips_half_of_the_output_bits():
    counters = np.random.default_rng(1).integers(0, 2**32, 20_000, dtype=np.uint32)
    before = np.asarray(randomness.hashed_bits(11, counters))
    for bit in range(32):
        changed = before ^ np.asarray(randomness.hashed_bits(11, counters ^ np.uint32(1 << bit)))
        flipped = np.unpackbits(changed.view(np.uint8)).reshape(-1, 32).mean(axis=0)
        assert np.all(np.abs(flipped - 0.5) < 0.03)


def test_the_order_of_counters_matters_and_negative_counters_are_allowed():
    assert randomness.hashed_bits(1, 2) != randomness.hashed_bits(2, 1)
    assert randomness.hashed_bits(1, 2, 3) != randomness.hashed_bits(1, 3, 2)
    assert randomness.hashed_bits(1, -1) == randomness.hashed_bits(1, jnp.int32(-1))
    assert randomness.hashed_bits(1, -1) != randomness.hashed_bits(1, 1)


def test_values_do_not_depend_on_batch_shape_order_jit_or_precision():
    seeds = np.random.default_rng(2).integers(0, 2**32, 50, dtype=np.uint32)
    counters = np.arange(40)[:, None]
    together = randomness.hashed_uniform(seeds, counters)
    one_by_one = np.array([[float(randomness.hashed_uniform(s, c)) for s in seeds[:5]] for c in range(5)])
    np.testing.assert_array_equal(np.asarray(together)[:5, :5], one_by_one)
    np.testing.assert_array_equal(together[:, ::-1], randomness.hashed_uniform(seeds[::-1], counters))
    np.testing.assert_array_equal(together, jax.jit(randomness.hashed_uniform)(seeds, counters))
    single = randomness.hashed_uniform(seeds, counters, dtype=jnp.float32)
    np.testing.assert_array_equal(np.asarray(together), np.asarray(single, np.float64))


def test_largest_and_smallest_float32_values_stay_inside_the_open_interval(monkeypatch: pytest.MonkeyPatch):
    for bits in (0, 0xFFFFFFFF):
        monkeypatch.setattr(randomness, "hashed_bits", lambda *_, bits=bits: jnp.uint32(bits))
        assert 0.0 < float(randomness.hashed_uniform(1, dtype=jnp.float32)) < 1.0
        assert np.isfinite(float(randomness.hashed_normal(1, dtype=jnp.float32)))
        assert np.isfinite(float(randomness.hashed_exponential(1, dtype=jnp.float32)))


def test_normal_and_exponential_values_have_their_distributions():
    counters = np.arange(100_000)
    assert stats.kstest(np.asarray(randomness.hashed_normal(5, counters)), "norm").pvalue > 0.001
    assert stats.kstest(np.asarray(randomness.hashed_exponential(6, counters)), "expon").pvalue > 0.001


def test_person_and_stream_keys_do_not_depend_on_the_batch():
    for base in (jax.random.key(4), jax.random.PRNGKey(4)):
        everybody = randomness.person_key(base, jnp.arange(100))
        some = randomness.person_key(base, jnp.array([70, 3]))
        alone = randomness.person_key(base, 70)
        seeds = randomness.stream_seed(everybody, "observation")
        assert seeds.dtype == jnp.uint32 and seeds.shape == (100,)
        np.testing.assert_array_equal(seeds[jnp.array([70, 3])], randomness.stream_seed(some, "observation"))
        assert seeds[70] == randomness.stream_seed(alone, "observation")


def test_streams_of_one_person_differ_and_ids_are_stable():
    keys = randomness.person_key(jax.random.key(0), jnp.arange(2000))
    seeds = {name: np.asarray(randomness.stream_seed(keys, name)) for name in randomness.STREAM_NAMES}
    assert len(set(randomness.STREAM_IDS.values())) == len(randomness.STREAM_NAMES)
    assert randomness.stream_id("events") == 0x5387574A
    names = list(seeds)
    for first, second in zip(names[:-1], names[1:], strict=True):
        correlation = np.corrcoef(seeds[first].astype(float), seeds[second].astype(float))[0, 1]
        assert abs(correlation) < 0.1


def test_an_unknown_stream_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="registered streams: traits"):
        randomness.stream_id("luck")
