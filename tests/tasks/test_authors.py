"""The GrinningFace authors' emoji lists: what an import takes, what it refuses, and what it leaves behind."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import emoji as emoji_package
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from touchstone import assets
from touchstone.errors import MissingPart, UsageError
from touchstone.tasks.emoji import authors_files, cards
from touchstone.tasks.emoji.authors import (
    AUTHORS_PROTOCOLS,
    authors_digest,
    authors_split,
    emojis_labelled,
    import_lists,
)
from touchstone.tasks.emoji.authors_files import FILES
from touchstone.tasks.emoji.instructions import label_of
from touchstone.tasks.emoji.table import Emoji, emojis

REAL = Path(__file__).parents[2] / "../shared/facts/grinningface_data"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the authors' files are not here")

#: emojis that every font of the last years draws
POOL = [row.char for row in emojis()]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """An assets folder of this test's own."""
    monkeypatch.setenv("TOUCHSTONE_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "assets"


def entry(char: str, label: str | None = None) -> dict:
    name = emoji_package.EMOJI_DATA[char]["en"].strip(":").replace("_", " ").strip(" .")
    return {"no": 1, "code": f"U+{ord(char):04X}", "char": char, "desc": name, "paligemma_label": label or name}


def small() -> dict[str, list[dict]]:
    """train, val and hard of four, four and three emojis; one of hard is in train, one in val."""
    rows = [entry(char, f"thing {number}") for number, char in enumerate(POOL[:9])]
    return {"train": rows[:4], "val": rows[4:8], "hard": [rows[8], rows[0], rows[5]]}


def everything(count: int = 230) -> list[dict]:
    return [entry(char, f"thing {number}") for number, char in enumerate(POOL[:count])]


def written(folder: Path, lists: dict[str, list]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in lists.items():
        (folder / FILES[name]).write_text(json.dumps(rows), encoding="utf-8")
    return str(folder)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(members: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return stream.getvalue()


def members(lists: dict[str, list], inside: str = "GrinningFace-main/emoji/") -> dict[str, bytes]:
    return {inside + FILES[name]: json.dumps(rows).encode() for name, rows in lists.items()}


def refused(source: object) -> str:
    """The one sentence that refuses `source`."""
    with pytest.raises(UsageError) as caught:
        import_lists(str(source))
    text = str(caught.value)
    assert "\n" not in text
    assert authors_digest() is None
    return text


def rows_of(protocol: str) -> list[tuple[str, str, str]]:
    return [(row.char, row.name, row.code) for row in authors_split(protocol)]


def expected(rows: list[dict]) -> list[tuple[str, str, str]]:
    return [(row["char"], row["paligemma_label"], row["code"].removeprefix("U+")) for row in rows]


# the authors' own files


@needs_real
def test_the_authors_files_give_their_counts_and_overlaps():
    imported = import_lists(str(REAL))
    assert imported.counts == {"all": 328, "train": 100, "val": 100, "hard": 213}
    assert (imported.hard_in_train, imported.hard_in_val) == (42, 43)
    assert (imported.emojis, imported.official) == (328, 174)
    for name in ("train", "val", "hard"):
        assert rows_of(f"{name}-authors") == expected(json.loads((REAL / FILES[name]).read_text()))
    assert emojis_labelled("smiley face")[0].code == "1F610"
    assert all(label_of(f"Touch {row.name}.") == row.name for row in authors_split("hard-authors"))


@needs_real
def test_the_index_rule_gives_the_authors_train_and_val(tmp_path):
    (tmp_path / FILES["all"]).write_bytes((REAL / FILES["all"]).read_bytes())
    imported = import_lists(str(tmp_path))
    assert imported.counts == {"all": 328, "train": 100, "val": 100}
    for name in ("train", "val"):
        assert rows_of(f"{name}-authors") == expected(json.loads((REAL / FILES[name]).read_text()))
    with pytest.raises(UsageError, match="had no hard list"):
        authors_split("hard-authors")


@needs_real
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_the_authors_files_out_of_an_archive_are_the_same_lists(tmp_path, pack):
    import_lists(str(REAL))
    plain = authors_digest()
    archive = tmp_path / "download"
    archive.write_bytes(pack({f"GrinningFace-main/x/{file}": (REAL / file).read_bytes() for file in FILES.values()}))
    import_lists(str(archive))
    assert authors_digest() == plain


# what is taken


def test_before_an_import_nothing_is_known():
    assert authors_digest() is None
    assert emojis_labelled("ghost") == ()
    for protocol in AUTHORS_PROTOCOLS:
        with pytest.raises(UsageError, match="not on this machine; import them with: touchstone assets grinningface"):
            authors_split(protocol)
    with pytest.raises(UsageError, match="Unknown protocol 'val'; choose one of: train-authors"):
        authors_split("val")


def test_a_folder_is_searched_to_its_depth(tmp_path, home):
    lists = small()
    written(tmp_path / "src" / "a" / "b", lists)
    imported = import_lists(str(tmp_path / "src"))
    assert imported.counts == {"train": 4, "val": 4, "hard": 3}
    assert (imported.hard_in_train, imported.hard_in_val, imported.emojis, imported.official) == (1, 1, 9, 0)
    assert imported.path == home / "grinningface" / "lists.json"
    assert [path.name for path in imported.path.parent.iterdir()] == ["lists.json"]
    assert imported.digest.startswith(authors_digest()) and len(authors_digest()) == 12


def test_one_file_brings_those_beside_it(tmp_path):
    lists = small()
    import_lists(str(Path(written(tmp_path / "src", lists)) / FILES["hard"]))
    for name, rows in lists.items():
        assert rows_of(f"{name}-authors") == expected(rows)


def test_all_alone_gives_train_and_val_by_the_index_rule(tmp_path):
    rows = everything()
    written(tmp_path / "src", {"all": rows})
    import_lists(str(tmp_path / "src"))
    assert rows_of("train-authors") == expected(rows[0:200:2])
    assert rows_of("val-authors") == expected(rows[1:200:2])


def test_files_that_agree_with_the_rule_are_taken(tmp_path):
    rows = everything()
    lists = {"all": rows, "train": rows[0:200:2], "val": rows[1:200:2], "hard": rows[190:]}
    imported = import_lists(written(tmp_path / "src", lists))
    assert (imported.hard_in_train, imported.hard_in_val) == (5, 5)


def test_the_digest_is_of_the_lists_and_not_of_their_file(tmp_path):
    lists = small()
    import_lists(written(tmp_path / "src", lists))
    first = authors_digest()
    for file in (tmp_path / "src").iterdir():
        file.write_text(json.dumps(json.loads(file.read_text()), indent=4, sort_keys=True))
    import_lists(str(tmp_path / "src" / FILES["val"]))
    assert authors_digest() == first
    lists["val"].reverse()
    import_lists(written(tmp_path / "src", lists))
    assert authors_digest() != first


def test_every_assets_folder_has_its_own_lists(tmp_path, monkeypatch):
    lists = small()
    import_lists(written(tmp_path / "src", lists))
    first = authors_split("val-authors")
    monkeypatch.setenv("TOUCHSTONE_ASSETS", str(tmp_path / "other"))
    assert authors_digest() is None and emojis_labelled("thing 1") == ()
    lists["train"][1]["paligemma_label"] = "another thing"
    import_lists(written(tmp_path / "src", lists))
    assert emojis_labelled("thing 1") == () and len(emojis_labelled("another thing")) == 1
    monkeypatch.setenv("TOUCHSTONE_ASSETS", str(tmp_path / "assets"))
    assert authors_split("val-authors") == first and len(emojis_labelled("thing 1")) == 1


def test_a_new_import_is_seen_at_once(tmp_path):
    for label in ("first", "other"):  # equally long, so that the stored file keeps its size
        lists = small()
        lists["train"][0]["paligemma_label"] = label
        import_lists(written(tmp_path / "src", {"train": lists["train"], "val": lists["val"]}))
        assert authors_split("train-authors")[0].name == label
    assert emojis_labelled("first") == ()


def test_a_label_finds_its_emojis_in_every_list(tmp_path):
    lists = small()
    lists["hard"][0]["paligemma_label"] = "thing 2"
    import_lists(written(tmp_path / "src", lists))
    assert [row.char for row in emojis_labelled("thing 2")] == [POOL[2], POOL[8]]
    assert emojis_labelled("thing 5") == (Emoji(POOL[5], "thing 5", f"{ord(POOL[5]):04X}"),)
    assert emojis_labelled("thing") == ()


labels = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and text == text.strip(" .") and text.strip()
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), pack=st.sampled_from([None, zipped, tarred]))
def test_what_is_imported_is_read_back_in_order(tmp_path, data, pack):
    chars = data.draw(st.lists(st.sampled_from(POOL[:40]), min_size=6, max_size=14, unique=True))
    names = data.draw(st.lists(labels, min_size=len(chars), max_size=len(chars), unique_by=str.casefold))
    rows = [entry(char, name) for char, name in zip(chars, names, strict=True)]
    middle = data.draw(st.integers(3, len(rows) - 3))
    hard = data.draw(st.lists(st.sampled_from(rows), min_size=3, unique_by=lambda row: row["char"]))
    lists = {"train": rows[:middle], "val": rows[middle:], "hard": hard}
    if pack is None:
        source = written(tmp_path / "src", lists)
    else:
        (tmp_path / "archive").write_bytes(pack(members(lists)))
        source = str(tmp_path / "archive")
    imported = import_lists(source)
    for name, given_rows in lists.items():
        assert rows_of(f"{name}-authors") == expected(given_rows)
    stored = json.loads(imported.path.read_text(encoding="utf-8"))["lists"]
    assert [row["desc"] for row in stored["hard"]] == [row["desc"] for row in hard]
    assert imported.hard_in_train + imported.hard_in_val == len(hard)


# what is refused


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON"),
        (b"<!DOCTYPE html>\n<html>", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[" + b"9" * 5000 + b"]", FILES["val"]),  # too long a number for Python 3.11, one entry for 3.10
        (b'{"a": 1}', "is not a list of emojis"),
        (b"[]", "has 0 entries, and a scene needs 3"),
        (b"[1, 2, 3]", "entry 1: it is not an object with fields"),
    ],
)
def test_a_file_that_is_no_list_is_named(tmp_path, content, says):
    source = Path(written(tmp_path / "src", small()))
    (source / FILES["val"]).write_bytes(content)
    text = refused(source)
    assert text.startswith(FILES["val"]) and says in text and "again" in text


def a_lone_surrogate(rows):
    rows[2] |= {"char": "\ud83d", "code": "U+D83D"}


def same_character(rows):
    rows[2] |= {field: rows[0][field] for field in ("char", "code")}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows[2].pop("paligemma_label"), "paligemma_label is missing"),
        (lambda rows: (rows[2].pop("code"), rows[2].pop("desc")), "code, desc is missing"),
        (lambda rows: rows[2].update(paligemma_label=""), "its paligemma_label is not text, or empty"),
        (lambda rows: rows[2].update(paligemma_label="  "), "its paligemma_label is not text, or empty"),
        (lambda rows: rows[2].update(paligemma_label=None), "its paligemma_label is not text, or empty"),
        (lambda rows: rows[2].update(char=7), "its char is not text, or empty"),
        (lambda rows: rows[2].update(paligemma_label="two\nlines"), "line break"),
        (lambda rows: rows[2].update(paligemma_label="dotted."), "dot at its ends"),
        (lambda rows: rows[2].update(paligemma_label=" ghost"), "space or dot"),
        (lambda rows: rows[2].update(paligemma_label="\ud83d"), "its label or desc has a line break"),
        (lambda rows: rows[2].update(desc="a\x00b"), "its label or desc has a line break"),
        (same_character, "its character is entry 1's too"),
        (lambda rows: rows[2].update(paligemma_label="THING 4"), "its label 'THING 4' is entry 1's too"),
        (lambda rows: rows[2].update(code="U+1F600\n"), "its code says 'U+1F600\\n'"),
        (lambda rows: rows[2].update(code=rows[2]["code"][2:]), "and its code says"),
        (lambda rows: rows[2].update(char="\U0001f3c4\u200d", code="U+1F3C4"), "its char is U+1F3C4 U+200D"),
        (lambda rows: rows[2].update(char="A", code="U+0041"), "U+0041 is no emoji"),
        (a_lone_surrogate, "U+D83D is no emoji"),
    ],
)
def test_a_wrong_entry_is_named_with_its_file_and_number(tmp_path, spoil, says):
    lists = small()
    spoil(lists["val"])
    text = refused(written(tmp_path / "src", lists))
    assert text.startswith(f"{FILES['val']}, entry 3") and says in text and "get the authors' files again" in text
    text.encode()  # can be printed


@pytest.mark.parametrize("field", ["char", "paligemma_label"])
def test_train_and_val_may_share_nothing(tmp_path, field):
    lists = small()
    if field == "char":
        lists["val"][1] |= {key: lists["train"][2][key] for key in ("char", "code")}
    else:
        lists["val"][1]["paligemma_label"] = "Thing 2"
    text = refused(written(tmp_path / "src", lists))
    assert text.startswith(f"{FILES['val']}, entry 2") and f"is in {FILES['train']} too" in text


def test_files_of_two_versions_are_refused(tmp_path):
    rows = everything()
    split = {"all": rows, "train": rows[0:200:2], "val": rows[1:200:2]}
    text = refused(written(tmp_path / "a", split | {"val": [*rows[1:199:2], rows[210]]}))
    assert text.startswith(f"{FILES['val']}, entry 100, is U+{ord(POOL[210]):04X}") and "of one version" in text
    text = refused(written(tmp_path / "b", split | {"train": rows[0:198:2]}))
    assert text.startswith(f"{FILES['train']}, entry 100, is missing")
    text = refused(written(tmp_path / "c", split | {"train": rows[0:202:2]}))
    assert f"{FILES['train']}, entry 101" in text and "makes it missing" in text
    text = refused(written(tmp_path / "d", split | {"hard": [*rows[:5], entry(POOL[300])]}))
    assert text.startswith(f"{FILES['hard']}, entry 6") and f"{FILES['all']} has no such entry" in text
    text = refused(written(tmp_path / "e", {"all": rows[:199]}))
    assert text.startswith(f"{FILES['all']} has 199 entries")


def test_too_few_lists_are_refused_with_what_was_there(tmp_path):
    lists = small()
    assert "it has none of them" in refused(written(tmp_path / "none", {}))
    text = refused(written(tmp_path / "some", {"train": lists["train"], "hard": lists["hard"]}))
    assert f"it has {FILES['train']}, {FILES['hard']}" in text


def test_two_different_files_of_one_name_are_refused_and_equal_ones_taken(tmp_path):
    written(tmp_path / "src" / "old", small())
    written(tmp_path / "src" / "new", small())
    assert import_lists(str(tmp_path / "src")).emojis == 9
    authors = authors_digest()
    other = small()
    other["val"].reverse()
    written(tmp_path / "src" / "new", other)
    with pytest.raises(UsageError, match=f"several different files {FILES['val']}"):
        import_lists(str(tmp_path / "src"))
    assert authors_digest() == authors


def test_an_emoji_that_the_font_cannot_draw_is_named(tmp_path, monkeypatch):
    lists = small()
    undrawable = lists["val"][3]["char"]

    def picture(char, pixels):
        if char == undrawable:
            raise MissingPart("The font draws nothing.")

    monkeypatch.setattr(authors_files, "card_picture", picture)
    text = refused(written(tmp_path / "src", lists))
    assert text.startswith(f"{FILES['val']}, entry 4 (U+") and "cannot draw it" in text and "apt install" in text


def test_a_missing_font_is_its_own_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "FONT_FOLDERS", (str(tmp_path / "nowhere"),))
    cards.emoji_font.cache_clear()
    try:
        with pytest.raises(MissingPart, match="NotoColorEmoji"):
            import_lists(written(tmp_path / "src", small()))
    finally:
        cards.emoji_font.cache_clear()


@pytest.mark.parametrize("source", ["", "/nowhere/at/all", "~nobody-of-that-name/x", "/dev/zero", "a" * 5000, "nul\0"])
def test_a_source_that_is_not_there_is_one_sentence(source):
    assert "check the path" in refused(source)


def test_a_file_of_another_name_is_refused_with_the_names(tmp_path):
    (tmp_path / "emojis.json").write_text(json.dumps(small()["train"]))
    assert FILES["all"] in refused(tmp_path / "emojis.json")


def test_a_big_file_is_refused(tmp_path, monkeypatch):
    source = written(tmp_path / "src", small())
    monkeypatch.setattr(assets, "SIZE_LIMIT", 300)
    assert "has more than" in refused(source)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TOUCHSTONE_ASSETS", str(tmp_path / "file"))
    text = refused(written(tmp_path / "src", small()))
    assert "cannot be written" in text and "TOUCHSTONE_ASSETS" in text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "{",
        lambda text: "[]",
        lambda text: "{}",
        lambda text: text.replace("thing 1", "thing one"),
        lambda text: text.replace('"schema": 1', '"schema": 2'),
        lambda text: text.replace('"desc"', '"description"'),
        lambda text: text[:-200],
    ],
)
def test_a_damaged_import_is_never_used(tmp_path, home, spoil):
    import_lists(written(tmp_path / "src", small()))
    stored = home / "grinningface" / "lists.json"
    before = stored.read_text(encoding="utf-8")
    stored.write_text(spoil(before), encoding="utf-8")
    assert stored.read_text(encoding="utf-8") != before
    for ask in (lambda: authors_split("val-authors"), authors_digest, lambda: emojis_labelled("thing 1")):
        with pytest.raises(UsageError, match="damaged or of another version; import them again with"):
            ask()
    import_lists(str(tmp_path / "src"))
    assert authors_split("val-authors")


# archives with odd contents


def test_members_are_read_and_never_written(tmp_path):
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    lists = small()
    odd = {
        "../../escaped.json": b"{}",
        f"../../{FILES['train']}": json.dumps(lists["train"]).encode(),
        f"/absolute/{FILES['val']}": json.dumps(lists["val"]).encode(),
        f"windows\\folder\\{FILES['hard']}": json.dumps(lists["hard"]).encode(),
        f"__MACOSX/._{FILES['hard']}": b"\x00\x05\x16\x07",
        "picture.png": b"\x89PNG",
    }
    for pack in (zipped, tarred):
        archive = inside / "archive"
        archive.write_bytes(pack(odd))
        import_lists(str(archive))
        assert rows_of("hard-authors") == expected(lists["hard"])
        assert list(inside.iterdir()) == [archive] and list((tmp_path / "deep").iterdir()) == [inside]


def test_links_and_folders_in_an_archive_are_passed_over(tmp_path):
    (tmp_path / "secret").write_text(json.dumps(small()["train"]))
    links = {FILES["all"]: str(tmp_path / "secret"), FILES["train"]: "/etc/passwd"}
    (tmp_path / "a.tar.gz").write_bytes(tarred({"README.md": b""}, links))
    assert "none of them" in refused(tmp_path / "a.tar.gz")
    (tmp_path / "a.zip").write_bytes(zipped({f"{FILES['all']}/": b""}))
    assert "none of them" in refused(tmp_path / "a.zip")


def test_a_bomb_is_refused_while_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "SIZE_LIMIT", 1_000_000)
    zeros = bytes(1_500_000)
    for name, data in {
        "one.zip": zipped({FILES["all"]: zeros}),
        "several.zip": zipped({FILES["all"]: zeros[:600_000], FILES["train"]: zeros[:600_000]}),
        "one.tar.gz": tarred({FILES["all"]: zeros}),
        "beside.tar.gz": tarred({"unwanted.bin": zeros}),
    }.items():
        assert len(data) < 10_000
        (tmp_path / name).write_bytes(data)
        assert "has more than 1 MB" in refused(tmp_path / name)


def test_a_zip_that_understates_a_size_is_refused(tmp_path):
    data = zipped({FILES["all"]: bytes(2_000_000)})
    lie = data.replace((2_000_000).to_bytes(4, "little"), (2_000).to_bytes(4, "little"))
    assert lie != data
    (tmp_path / "a.zip").write_bytes(lie)
    assert "cannot be unpacked" in refused(tmp_path / "a.zip")


def test_a_sparse_tar_that_claims_a_terabyte_is_refused(tmp_path):
    member = tarfile.TarInfo(FILES["all"])
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.map": "0,0", "GNU.sparse.size": str(10**12)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    (tmp_path / "a.tar.gz").write_bytes(stream.getvalue())
    assert "has more than" in refused(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_cannot_be_bounded_is_refused(tmp_path, method):
    (tmp_path / "a.zip").write_bytes(zipped(members(small()), method))
    assert "other than deflate" in refused(tmp_path / "a.zip")


def test_an_encrypted_zip_is_one_sentence(tmp_path):
    data = bytearray(zipped({FILES["all"]: b"[]"}))
    data[6] |= 1  # the flag in the local header, and then in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert "encrypted" in refused(tmp_path / "a.zip")


@pytest.mark.parametrize(
    "data",
    # gzip writes the time of day unless told, and parallel workers must name a test alike
    [b"PK\x03\x04", b"PK", b"\x1f\x8b", gzip.compress(b"[]", mtime=0), b"\x1f\x8b\x08\x00" * 9],
)
def test_a_broken_archive_is_one_sentence(tmp_path, data):
    (tmp_path / "archive").write_bytes(data)
    assert "cannot be unpacked" in refused(tmp_path / "archive")


def test_a_tar_whose_checksum_is_wrong_is_refused(tmp_path):
    data = bytearray(tarred(members(small())))
    data[-8] ^= 1  # gzip's CRC-32 is the first half of its last eight bytes
    (tmp_path / "a.tar.gz").write_bytes(data)
    assert "CRC check failed" in refused(tmp_path / "a.tar.gz")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pack=st.sampled_from([zipped, tarred]),
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    end=st.integers(0, 10**6) | st.none(),
)
@example(pack=tarred, changes=[(0, 0)], end=0)
def test_a_damaged_archive_never_ends_in_a_traceback(tmp_path, pack, changes, end):
    data = pack(members({"train": small()["train"], "val": small()["val"]}))
    # damage below the gzip layer, whose checksum would hide it
    raw = bytearray(gzip.decompress(data) if pack is tarred else data)
    for where, value in changes:
        raw[where % len(raw)] = value
    if end is not None:
        del raw[end % len(raw) :]
    (tmp_path / "archive").write_bytes(gzip.compress(bytes(raw), 1) if pack is tarred else bytes(raw))
    try:
        import_lists(str(tmp_path / "archive"))
    except UsageError as error:
        assert "\n" not in str(error)


# addresses


@contextmanager
def serving(handler):
    """A server on the loopback interface; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def serving_folder(folder: Path):
    with serving(partial(Quiet, directory=str(folder))) as address:
        yield address


def answering(answer):
    """A handler that leaves a GET to `answer(handler)`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *args):
            pass

    return Handler


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_address_of_an_archive(tmp_path, pack):
    lists = small()
    (tmp_path / "main").write_bytes(pack(members(lists)))
    with serving_folder(tmp_path) as address:
        imported = import_lists(f"{address}/main?token=secret")
    assert imported.source == f"{address}/main"
    assert "secret" not in imported.path.read_text()
    assert rows_of("val-authors") == expected(lists["val"])


def test_an_address_of_one_file_brings_those_beside_it(tmp_path):
    lists = small()
    written(tmp_path / "raw" / "emoji", lists)
    with serving_folder(tmp_path) as address:
        import_lists(f"{address}/raw/emoji/{FILES['train']}")
    for name, rows in lists.items():
        assert rows_of(f"{name}-authors") == expected(rows)


def test_lists_that_the_server_does_not_have_are_not_there(tmp_path):
    rows = everything()
    written(tmp_path, {"all": rows})
    with serving_folder(tmp_path) as address:
        import_lists(f"{address}/{FILES['all']}")
        assert rows_of("val-authors") == expected(rows[1:200:2])
        (tmp_path / FILES["all"]).rename(tmp_path / FILES["train"])
        with pytest.raises(UsageError, match="lacks what is needed"):
            import_lists(f"{address}/{FILES['train']}")
        with pytest.raises(UsageError, match="is not there \\(404\\); check the address"):
            import_lists(f"{address}/{FILES['all']}")


def test_a_page_instead_of_a_file_is_refused(tmp_path):
    with serving_folder(tmp_path) as address:
        assert "is neither a folder, a .zip" in refused(f"{address}/")


def test_another_answer_than_404_is_not_taken_for_a_missing_list(tmp_path):
    data = json.dumps(everything()).encode()

    def answer(handler):
        if handler.path.endswith(FILES["all"]):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(data)
        else:
            handler.send_error(503)

    with serving(answering(answer)) as address:
        assert "answers 503" in refused(f"{address}/{FILES['all']}")


def test_a_download_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(assets, "SIZE_LIMIT", 1_000_000)
    sent = []

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while sum(sent) < 100_000_000:
                sent.append(handler.wfile.write(bytes(100_000)))
        except ConnectionError:
            pass

    with serving(answering(answer)) as address:
        assert "has more than 1 MB" in refused(f"{address}/main.zip")
    assert sum(sent) < 100_000_000


@pytest.mark.parametrize("headers_first", [False, True])
def test_a_silent_server_is_given_up(monkeypatch, headers_first):
    monkeypatch.setattr(assets, "SILENCE_S", 0.2)
    done = threading.Event()

    def answer(handler):
        if headers_first:
            handler.send_response(200)
            handler.end_headers()
        done.wait(30)

    with serving(answering(answer)) as address:
        try:
            assert "timed out" in refused(f"{address}/main.zip")
        finally:
            done.set()


def test_a_dripping_server_is_given_up(monkeypatch):
    monkeypatch.setattr(assets, "DOWNLOAD_S", 0.3)
    done = threading.Event()

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while not done.wait(0.02):
                handler.wfile.write(b" ")
        except ConnectionError:
            pass

    with serving(answering(answer)) as address:
        try:
            assert "did not arrive within 0.3 s" in refused(f"{address}/main.zip")
        finally:
            done.set()


def test_a_download_that_breaks_off_is_not_taken():
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"[" * 10)

    with serving(answering(answer)) as address:
        assert "broke off 990 bytes before its end" in refused(f"{address}/{FILES['all']}")


def test_what_a_server_says_is_printed_short_and_plain():
    def answer(handler):
        handler.send_response(500, "\x1b[31m" + "very " * 1000)
        handler.end_headers()

    with serving(answering(answer)) as address:
        text = refused(f"{address}/main.zip")
    assert "answers 500 ([31mvery" in text and text.isprintable() and len(text) < 400


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1:1/x", "/round"])
def test_a_redirection_leads_to_http_only_and_to_an_end(target):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.end_headers()

    with serving(answering(answer)) as address:
        text = refused(f"{address}/round")
    assert "answers 302" in text or "unknown url type: ftp" in text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.org/main.zip", "is not an http(s) address"),
        ("file:///etc/passwd", "is not an http(s) address"),
        ("http://127.0.0.1:1/main.zip", "cannot be downloaded"),
        ("http://127.0.0.1:notaport/main.zip", "cannot be downloaded"),
        ("http:///main.zip", "cannot be downloaded"),
        ("http://127.0.0.1:1/ünï code.zip", "cannot be downloaded"),
        ("http://[::1/main.zip", "is not an address"),
        ("http://user:secret@127.0.0.1:1/main.zip?token=secret", "http://127.0.0.1:1/main.zip cannot be downloaded"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(url, says):
    text = refused(url)
    assert says in text and "secret" not in text
