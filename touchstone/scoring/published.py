"""Numbers that others published, as data, each with its source. Nothing here was measured by Touchstone."""

from __future__ import annotations

from touchstone.facts import Record


class PublishedRow(Record):
    """One row of a published table. cells: protocol -> (execution, recognition) in percent, as printed."""

    name: str
    cells: dict[str, tuple[float, float]]


class PublishedTable(Record):
    """A published table.

    place: `source` in short. task, rule: what of Touchstone's it can be held against. seeds, mean, std: its rows, as
    printed. deviation: which formula `std` is by.
    """

    place: str
    source: str
    policy: str
    task: str
    rule: str
    seeds: tuple[PublishedRow, ...]
    mean: PublishedRow
    std: PublishedRow
    deviation: str

    @property
    def protocols(self) -> tuple[str, ...]:
        return tuple(self.mean.cells)


def _row(name: str, *cells: tuple[float, float]) -> PublishedRow:
    return PublishedRow(name=name, cells=dict(zip(("id", "train", "val"), cells, strict=True)))


#: 100 trials a cell; the paper takes the best of four checkpoints by the overall rate on val
GRINNINGFACE_TABLE_3 = PublishedTable(
    place="arXiv 2511.06619, Table 3",
    source="GrinningFace, arXiv 2511.06619, Table 3",
    policy="the paper's baseline, fully fine-tuned, on the authors' emojis",
    task="pick-emoji",
    rule="paper",
    seeds=(
        _row("s1", (94, 81), (91, 64), (92, 47)),
        _row("s2", (89, 79), (92, 77), (95, 43)),
        _row("s3", (89, 81), (93, 70), (93, 44)),
        _row("s4", (91, 78), (92, 74), (94, 47)),
        _row("s5", (92, 77), (95, 74), (94, 45)),
    ),
    mean=_row("mean", (91.0, 79.2), (92.6, 71.8), (93.6, 45.2)),
    std=_row("std", (1.9, 1.5), (1.4, 4.6), (1.0, 1.5)),
    deviation="the paper does not say whether sample or population; the printed values lie nearer to the population's",
)
