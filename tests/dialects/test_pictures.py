"""Pictures brought to a server's size."""

import numpy as np
import pytest

from policy_server.dialects.pictures import fit
from touchstone.errors import ContractMismatch

WHITE = np.full((480, 640, 3), 255, dtype=np.uint8)


def test_a_picture_of_the_right_size_is_left_alone():
    assert fit(WHITE, 640, 480, "none") is WHITE and fit(WHITE, 640, 480, "pad") is WHITE


def test_padding_keeps_the_shape_and_fills_with_black():
    image = fit(WHITE, 224, 224, "pad")
    assert image.shape == (224, 224, 3) and image.dtype == np.uint8
    assert not image[:28].any() and not image[196:].any() and (image[28:196] == 255).all()


def test_a_crop_takes_the_middle():
    image = WHITE.copy()
    image[:, :80] = image[:, 560:] = 0
    assert (fit(image, 224, 224, "crop") == 255).all()
    assert not (fit(image, 224, 224, "stretch") == 255).all()


def test_another_size_is_refused_where_nothing_may_be_resized():
    with pytest.raises(ContractMismatch, match="wants pictures of 224x224 unresized and the camera gives 640x480"):
        fit(WHITE, 224, 224, "none")
