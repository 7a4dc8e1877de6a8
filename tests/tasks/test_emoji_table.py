"""The emoji table and its splits: what qualifies, and that no library can move a list."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import UsageError
from touchstone.tasks.emoji.instructions import TOUCH, label_of
from touchstone.tasks.emoji.splits import PROTOCOLS, split
from touchstone.tasks.emoji.table import emoji_named, emojis, exclusion

#: sha256 over "code name" lines in split order; a change here changes every published score
GOLDEN = {
    "train": "c6e7c6d34686eedbedef5bfd2013d29c32e338d1be479a337e774e4fd9125fd5",
    "val": "18634be82505efd5485a8bf2518d564d5c050b4a3194bfed3419cf6715588cba",
    "hard": "ed5dd979dc357c452202152cdf1a4262211fa572f692d8182970535bafbe0d3f",
}


def test_every_emoji_is_one_code_point_with_its_own_name():
    table = emojis()
    assert all(len(row.char) == 1 and f"{ord(row.char):04X}" == row.code for row in table)
    assert len({row.name for row in table}) == len({row.char for row in table}) == len(table)


def test_names_are_cldr_short_names():
    assert emoji_named("red apple").char == "\N{RED APPLE}"
    assert emoji_named("Christmas tree").char == "\N{CHRISTMAS TREE}"
    assert emoji_named("T-Rex").code == "1F996"


@pytest.mark.parametrize(
    "name", ["three o’clock", "COOL button", "waxing gibbous moon", "blue heart", "Leo", "dog face", "e-mail"]
)
def test_near_identical_families_are_out(name):
    assert exclusion(name) is not None
    with pytest.raises(UsageError, match="No card shows"):
        emoji_named(name)


def test_splits_are_disjoint_and_cover_the_table():
    train, val, hard = (split(protocol) for protocol in PROTOCOLS)
    assert len(train) == len(val) == 100
    assert len(hard) > 100
    assert sorted(row.code for row in train + val + hard) == sorted(row.code for row in emojis())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_split_never_moves(protocol):
    lines = "\n".join(f"{row.code} {row.name}" for row in split(protocol))
    assert sha256(lines.encode()).hexdigest() == GOLDEN[protocol]


def test_an_unknown_protocol_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="train, val, hard"):
        split("easy")


@given(st.sampled_from(emojis()))
def test_an_instruction_gives_its_label_back(emoji):
    assert label_of(TOUCH["paper"].format(label=emoji.name)) == emoji.name


@pytest.mark.parametrize("sentence", ["Pick red apple.", "Touch", "Touch .", ""])
def test_another_sentence_is_no_touch_instruction(sentence):
    with pytest.raises(UsageError, match="is not an instruction"):
        label_of(sentence)
