"""Printed cards: how they look and which way they lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.bench import CARD_SIDE
from touchstone.errors import MissingPart
from touchstone.tasks.emoji import cards
from touchstone.tasks.emoji.cards import base_from_picture, card_corners, card_picture
from touchstone.tasks.emoji.splits import split
from touchstone.tasks.emoji.table import emoji_named, emojis


def ink(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of what is printed, without the cut edge."""
    inside = picture[10:-10, 10:-10].min(axis=2) < 235
    return np.flatnonzero(inside.any(axis=1)) + 10, np.flatnonzero(inside.any(axis=0)) + 10


@pytest.mark.parametrize("emoji", [*split("val")[::5], *split("hard")[::20]], ids=lambda emoji: emoji.name)
def test_a_card_is_white_with_a_centred_legible_glyph(emoji):
    picture = card_picture(emoji.char)
    assert picture.shape == (512, 512, 3)
    assert picture.dtype == np.uint8
    assert (picture[20:40, 20:-20] == 255).all()
    rows, columns = ink(picture)
    assert 0.4 < max(np.ptp(rows), np.ptp(columns)) / 512 < 0.8
    assert abs(rows[[0, -1]].mean() - 255.5) < 12
    assert abs(columns[[0, -1]].mean() - 255.5) < 12


def test_the_glyph_is_upright_and_not_mirrored():
    apple = card_picture(emoji_named("red apple").char).astype(int)
    green = (apple[..., 1] > apple[..., 0] + 30) & (apple[..., 1] > apple[..., 2] + 30)
    rows, columns = np.nonzero(green)
    assert rows.mean() < 200  # the leaf is at the top
    assert columns.mean() > 256  # and points to the right


def test_two_emojis_have_two_pictures():
    pictures = {card_picture(emoji.char, 64).tobytes() for emoji in emojis()}
    assert len(pictures) == len(emojis())


def test_a_picture_cannot_be_scribbled_on():
    with pytest.raises(ValueError, match="read-only"):
        card_picture(emoji_named("red apple").char)[0, 0] = 0


def test_the_pictures_top_is_the_robots_front_and_its_right_the_robots_right():
    top, right = base_from_picture([(0.5, 0.0), (1.0, 0.5)], (0.34, 0.2))
    np.testing.assert_allclose(top, [0.34 + CARD_SIDE / 2, 0.2])
    np.testing.assert_allclose(right, [0.34, 0.2 - CARD_SIDE / 2])


def test_a_quarter_turn_is_counter_clockwise_seen_from_above():
    top = base_from_picture([(0.5, 0.0)], (0.0, 0.0), np.pi / 2)[0]
    np.testing.assert_allclose(top, [0.0, CARD_SIDE / 2], atol=1e-12)


@given(x=st.floats(-1, 1), y=st.floats(-1, 1), yaw=st.floats(-4, 4))
def test_corners_are_a_square_about_the_centre(x, y, yaw):
    corners = card_corners((x, y), yaw)
    np.testing.assert_allclose(corners.mean(axis=0), [x, y], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1), CARD_SIDE)


def test_a_missing_font_is_one_sentence_with_the_line_to_fix_it(monkeypatch, tmp_path):
    monkeypatch.setattr(cards, "FONT_FOLDERS", (str(tmp_path),))
    cards.emoji_font.cache_clear()
    try:
        with pytest.raises(MissingPart, match="apt install fonts-noto-color-emoji"):
            cards.emoji_font()
    finally:
        cards.emoji_font.cache_clear()
