"""The emojis that a card may show: one recognisable picture each, one unambiguous name each.

Source: the PyPI package `emoji`, whose English names are the Unicode CLDR short names. An emoji qualifies when it
1. is one code point, fully qualified: no ZWJ sequence, skin tone, flag, keycap or variation selector;
2. came with Emoji 13.0 or earlier, so that every Noto Color Emoji of the last years draws it;
3. is in none of the `EXCLUDED` groups: families whose members differ by a digit, a direction or a fill only, pictures
   that the name does not tell apart, and signs that are text.
The groups were decided by looking at the pictures; the rule itself reads names only, so no font can move a split.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import emoji as emoji_package

from touchstone.errors import UsageError

NEWEST_VERSION = 13


@dataclass(frozen=True)
class Emoji:
    """One emoji. name: CLDR short name with spaces, e.g. `red apple`. code: code point, e.g. `1F34E`."""

    char: str
    name: str
    code: str


@lru_cache(maxsize=1)
def emojis() -> tuple[Emoji, ...]:
    """Every emoji that qualifies, by code point."""
    rows = []
    for char, data in emoji_package.EMOJI_DATA.items():
        fully_qualified = data["status"] == emoji_package.STATUS["fully_qualified"]
        if len(char) == 1 and fully_qualified and data["E"] <= NEWEST_VERSION:
            name = data["en"].strip(":").replace("_", " ")
            if exclusion(name) is None:
                rows.append(Emoji(char, name, f"{ord(char):04X}"))
    return tuple(sorted(rows, key=lambda row: ord(row.char)))


def emoji_named(name: str) -> Emoji:
    """The emoji with this CLDR name. Raises UsageError when none that qualifies has it."""
    found = _by_name().get(name)
    if found is None:
        raise UsageError(f"No card shows '{name}'; use the Unicode CLDR short name of an emoji in the emoji table.")
    return found


def exclusion(name: str) -> str | None:
    """Why the emoji called `name` is on no card, or None when it may be on one."""
    return next((reason for reason, pattern in _patterns() if pattern.search(name)), None)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Emoji]:
    return {row.name: row for row in emojis()}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern], ...]:
    return tuple((reason, re.compile(f"^(?:{'|'.join(parts)})$")) for reason, parts in EXCLUDED.items())


#: reason -> patterns; a name that one of them matches as a whole is out
EXCLUDED: dict[str, tuple[str, ...]] = {
    "buttons, pictograms and signs": (
        r".* button( \(.*\))?",
        r"(BACK|END|ON!|SOON|TOP) arrow",
        r"clockwise vertical arrows",
        r"input .*",
        r"keycap 10",
        r"(ATM|litter in bin) sign",
        r"no (entry|littering|smoking|bicycles|pedestrians|mobile phones|one under eighteen)",
        r"prohibited|(non-)?potable water|(men’s |women’s |rest)room|restroom|baby symbol|water closet|elevator",
        r"passport control|customs|baggage claim|left luggage|place of worship|wheelchair symbol|cinema",
        r"antenna bars|vibration mode|dotted six-pointed star|currency exchange|(double )?curly loop",
        r"plus|minus|divide|white (question|exclamation) mark|muted speaker|bell with slash",
    ),
    "zodiac": (r"Aries|Taurus|Gemini|Cancer|Leo|Virgo|Libra|Scorpio|Sagittarius|Capricorn|Aquarius|Pisces|Ophiuchus",),
    "clock faces, moon phases, globes": (
        r".*(o’clock|-thirty)",
        r".*(quarter|gibbous|full|new|waxing crescent|waning crescent) moon( face)?",
        r"globe showing .*",
        r"hourglass (not )?done",
    ),
    "plain shapes and hearts by colour": (
        r".* (circle|square|diamond)",
        r"red triangle pointed (up|down)",
        r"diamond with a dot",
        r"(?!broken|anatomical).* hearts?( with .*)?",
        r"heart .*",
        r"glowing star",
    ),
    "left or right, up or down, open or shut, one or many": (
        r"backhand index .*|(left|right)-facing fist|thumbs down|magnifying glass .*|speaker .* volume",
        r"(open|closed) mailbox .*|(in|out)box tray|(un)?locked|locked with pen|chart .*|airplane (arrival|departure)",
        r"(horizontal|vertical) traffic light|[123](st|nd|rd) place medal|oncoming .*|open file folder|musical notes",
        r"camera with flash|mobile phone (off|with arrow)|house with garden|ear with hearing aid|round pushpin",
    ),
    "look-alikes": (
        r"(closed|green|blue|orange) book|ledger|notebook with decorative cover|.* banknote",
        r"page (facing up|with curl)|tear-off calendar|optical disk|dvd|incoming envelope|envelope with arrow|e-mail",
        r"railway car|high-speed train|train|light rail|station|tram car|trolleybus|monorail|minibus",
        r"(mountain|suspension) (railway|cableway)",
        r"(Japanese )?post office|office building|department store|love hotel",
        r"cityscape at dusk|sunrise|sunset|foggy",
        r"raised back of hand|open hands|palms up together|love-you gesture",
    ),
    "animals shown twice": (
        r"(mouse|cow|tiger|rabbit|cat|dragon|horse|monkey|dog|pig) face",
        r"(grinning|smiling|kissing|pouting|weary|crying) cat( with .*)?|cat with .*",
        r"(hear|speak)-no-evil monkey",
        r"rat|ox|whale|two-hump camel|front-facing baby chick|guide dog|hatching chick",
    ),
    "people that only a caption tells apart": (
        r"(older |deaf )?person( .*)?|people .*|men holding hands|women holding hands|woman (and|with) .*|old (wo)?man",
        r"boy|girl|man|woman|child|family|kiss|couple .*|busts? in silhouette|pregnant woman|breast-feeding",
        r"middle finger",
    ),
    "yellow faces that differ in a mouth or an eyebrow": (
        r"grinning face with .*|grinning squinting face|beaming face .*|smiling face with (smiling eyes|horns|tear)",
        r"face savoring food|relieved face|smirking face|neutral face|expressionless face|unamused face",
        r"downcast face .*|pensive face|confused face|confounded face|kissing face.*|face blowing a kiss",
        r"(winking|squinting) face with tongue|disappointed face|worried face|angry face|persevering face",
        r"face with steam .*|sad but relieved face|frowning face .*|anguished face|fearful face|weary face",
        r"sleepy face|tired face|grimacing face|face with open mouth|hushed face|anxious face .*|astonished face",
        r"flushed face|face with crossed-out eyes|face without mouth|slightly (frowning|smiling) face|crying face",
        r"face with (rolling eyes|raised eyebrow|hand over mouth)|zany face|pleading face|woozy face",
    ),
}
