"""True labels that come in a file."""

from pathlib import Path

from streamer.errors import ConfigError
from streamer.records.labelset import LabelSet
from streamer.records.rows import rows_by_line
from streamer.words import did_you_mean


def read_gold(path: Path, labels: LabelSet) -> dict[str, int]:
    """Label indices by ticket id, from the columns `id` and `label` of a .csv or .jsonl file.

    Rows without a label are skipped; of an id that comes twice the last row counts. Raises
    `ConfigError` where the file or a row can't be read, or a label is none of the set.
    """
    gold = {}
    for line, row in rows_by_line(path):
        if "id" not in row or "label" not in row:
            raise ConfigError(f"{path}: line {line} needs the columns `id` and `label`: name them")
        label = row["label"]
        if label in (None, ""):
            continue
        if label not in labels.index:
            raise ConfigError(
                f"{path}: line {line} has the label {label!r}, which the task has not"
                f"{did_you_mean(str(label), labels.labels) or ':'} correct it, or leave it empty"
            )
        gold[str(row["id"])] = labels.index[label]
    return gold
