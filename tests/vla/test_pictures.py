import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_server.vla import pictures

FILTERS = (pictures.lanczos, pictures.area, pictures.bicubic, pictures.smooth_lanczos)


@pytest.mark.parametrize("resize", FILTERS)
@settings(max_examples=20, deadline=None)
@given(level=st.integers(0, 255), width=st.integers(20, 300), height=st.integers(20, 300))
def test_one_colour_stays_that_colour(resize, level, width, height):
    made = resize(np.full((48, 64, 3), level, dtype=np.uint8), width, height)
    assert made.shape == (height, width, 3) and made.dtype == np.uint8
    assert (made == level).all()


@pytest.mark.parametrize("resize", FILTERS)
def test_a_picture_is_stretched_not_cut(resize):
    image = np.zeros((480, 640, 3), dtype=np.uint8)
    image[:240, :320, 0], image[240:, 320:, 2] = 255, 255  # red top left, blue bottom right
    made = resize(image, 224, 224)
    assert (made[:106, :106] == (255, 0, 0)).all() and (made[118:, 118:] == (0, 0, 255)).all()


def test_area_is_the_mean_of_what_a_pixel_covers():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    blocks = image.reshape(2, 4, 2, 4, 3).mean(axis=(1, 3))
    assert np.abs(pictures.area(image, 2, 2) - blocks).max() <= 0.5


def test_only_octos_lanczos_smooths_before_it_shrinks():
    # a checkerboard of single pixels is finer than the small picture can show: smoothing leaves grey
    board = np.repeat((np.indices((480, 640)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    assert pictures.smooth_lanczos(board, 256, 256).std() < 10
    assert pictures.lanczos(board, 224, 224).std() > 30


def lanczos3(size_in: int, size_out: int) -> np.ndarray:
    """The weights [size_out,size_in] of TensorFlow's `lanczos3` with `antialias`, from their definition."""
    scale = size_in / size_out
    centres = (np.arange(size_out) + 0.5) * scale
    x = (np.arange(size_in) + 0.5 - centres[:, None]) / max(scale, 1.0)
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def test_octos_picture_is_the_filter_that_its_definition_says():
    image = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    exact = np.einsum("ih,jw,hwc->ijc", lanczos3(120, 64), lanczos3(160, 64), image.astype(np.float64))
    exact = np.clip(np.rint(exact), 0, 255)
    made = pictures.smooth_lanczos(image, 64, 64)
    assert np.abs(made - exact).max() <= 1 and (made == exact).mean() > 0.999


def test_the_scales_of_pi0():
    image = np.zeros((2, 3, 3), dtype=np.uint8)
    image[0, 1] = (255, 51, 0)
    assert pictures.unit(image).shape == (3, 2, 3) and pictures.unit(image).dtype == np.float32
    assert pictures.unit(image)[:, 0, 1] == pytest.approx([1.0, 0.2, 0.0])
    assert pictures.signed(image)[:, 0, 1] == pytest.approx([1.0, -0.6, -1.0])
