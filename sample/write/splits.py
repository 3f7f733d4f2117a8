"""The splits of the sample, as CSV."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from sample.write import recipe
from sample.write.composer import Composer, Draft
from sample.write.dice import Dice
from sample.write.grammar import Grammar
from sample.write.near_duplicates import NearDuplicates

_COLUMNS = ("id", "subject", "text", "intent", "sentiment", "hard")


def splits(grammar_folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (``train``, ``test`` or ``calibrate``, the CSV file's text), the same at every call."""
    grammar = Grammar.read(grammar_folder)
    trial = Composer(grammar, recipe.TEST, Dice(recipe.SEED + 1))
    admitted = NearDuplicates(
        recipe.NEAR_DUPLICATE_LIMIT, typical=(trial.draw().text for _ in range(1000))
    )
    dice = Dice(recipe.SEED)
    for name, mix, rows, first_id in (
        ("train", recipe.TRAIN, recipe.TRAIN_ROWS, 10001),
        ("test", recipe.TEST, recipe.TEST_ROWS, 50001),
        ("calibrate", recipe.TEST, recipe.CALIBRATE_ROWS, 60001),
    ):
        yield name, _csv(_drafts(Composer(grammar, mix, dice), admitted, rows), first_id)


def _drafts(composer: Composer, admitted: NearDuplicates, rows: int) -> Iterator[Draft]:
    while rows:
        draft = composer.draw()
        if admitted.admit(draft.text):
            rows -= 1
            yield draft


def _csv(drafts: Iterator[Draft], first_id: int) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, draft in enumerate(drafts, first_id):
        values = (draft.subject, draft.text, draft.intent, draft.sentiment, draft.hard)
        writer.writerow((f"HD-{number}", *values))
    return file.getvalue()
