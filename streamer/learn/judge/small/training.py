"""Trains the small judge into the folder that the judge service reads."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.codes import Codes
from streamer.judging.llm.prompt import Prompt
from streamer.learn.artifacts.manifest import Manifest, Recipe
from streamer.learn.artifacts.repository import check_ours, latest_version, new_version
from streamer.learn.data.examples import Examples
from streamer.learn.judge.small import shape, tokenizer, training_loop, training_set
from streamer.learn.judge.small.shape import Shape
from streamer.learn.judge.small.tokenizer import save_tokenizer
from streamer.learn.judge.small.training_loop import Progress, TrainingLoop, probabilities
from streamer.learn.judge.small.training_set import TrainingExample
from streamer.learn.measures.scores import Scores

_MODULES = (training_set, training_loop, shape, tokenizer)
_HELD_OUT_SHARE = 0.1
SHAPE = Shape()
TRAINING_LOOP = TrainingLoop()

Subject = tuple[Prompt, Examples]
"""What is told about a task, and its tickets with the right labels."""


@dataclass(frozen=True, slots=True)
class SmallJudgeTrainer:
    """One model for all tasks, in `<folder>/<version>/`; tickets are cut as the judge cuts them."""

    folder: Path
    max_ticket_tokens: int = 1024
    shape: Shape = SHAPE
    loop: TrainingLoop = TRAINING_LOOP

    def train(
        self, subjects: Sequence[Subject], *, seed: int, progress: Progress
    ) -> dict[str, Manifest]:
        """Manifests by task. A new version, unless the newest is of the same all.

        The scores are of a held-out share, which the model never learns from. Raises `ConfigError`
        for a label out of place, too few examples, more labels than there are codes, or a folder
        with a model that was not trained here.
        """
        check_ours(self.folder)
        for prompt, examples in subjects:
            examples.check_labels(prompt.label_set.labels, f"task {prompt.task}")
        recipes = [self._recipe(prompt, examples, seed) for prompt, examples in subjects]
        if (manifests := self._made(recipes)) is not None:
            return manifests
        split = [_split(prompt, examples, seed) for prompt, examples in subjects]
        with new_version(self.folder.parent, self.folder.name) as folder:
            chat = self._chat(folder, subjects, split)
            parts = [self._lessons(chat, *pair) for pair in zip(subjects, split, strict=True)]
            network = self.shape.network(chat.vocabulary, seed)
            self.loop.teach(network, [learnt for learnt, _ in parts], seed, progress)
            network.save_pretrained(folder)
            return {
                recipe.task: self._told(folder, recipe, network, held)
                for recipe, (_, held) in zip(recipes, parts, strict=True)
            }

    def _chat(
        self,
        folder: Path,
        subjects: Sequence[Subject],
        split: Sequence[tuple[Examples, Examples]],
    ) -> Chat:
        """A tokenizer made of what is learnt from, in `folder`."""
        texts = [text for part, _ in split for text in part.texts]
        systems, codes = _said([prompt for prompt, _ in subjects])
        save_tokenizer(folder, texts, systems, codes, self.shape.tokens)
        return Chat.at(folder)

    def _told(self, folder: Path, recipe: Recipe, network: Any, held: TrainingExample) -> Manifest:
        scores = Scores.of(probabilities(network, held), held.gold)
        manifest = Manifest.new(recipe, asdict(self.loop), scores)
        (folder / recipe.task).mkdir()
        manifest.write(folder / recipe.task)
        return manifest

    def _lessons(
        self, chat: Chat, subject: Subject, split: tuple[Examples, Examples]
    ) -> tuple[TrainingExample, TrainingExample]:
        learnt, held = (
            TrainingExample.of(chat, subject[0], part, self.max_ticket_tokens) for part in split
        )
        return learnt, held

    def _made(self, recipes: Sequence[Recipe]) -> dict[str, Manifest] | None:
        newest = latest_version(self.folder.parent, self.folder.name)
        manifests = {}
        for recipe in recipes:
            manifest = Manifest.read(self.folder / str(newest) / recipe.task)
            if manifest is None or manifest.recipe != recipe:
                return None
            manifests[recipe.task] = manifest
        return manifests

    def _recipe(self, prompt: Prompt, examples: Examples, seed: int) -> Recipe:
        told = orjson.dumps(
            [prompt.version, self.max_ticket_tokens, asdict(self.shape), asdict(self.loop)]
        )
        sources = [Path(str(module.__file__)).read_bytes() for module in _MODULES]
        return Recipe(
            task=prompt.task,
            kind="llm",
            label_set=prompt.label_set.version,
            labels=prompt.label_set.labels,
            data_sha256=examples.sha256,
            rows=len(examples),
            seed=seed,
            code=sha256(b"\0".join([told, *sources])).hexdigest()[:16],
        )


def _split(prompt: Prompt, examples: Examples, seed: int) -> tuple[Examples, Examples]:
    learnt, held = examples.split(_HELD_OUT_SHARE, seed)
    if not len(learnt) or not len(held):
        raise ConfigError(
            f"task {prompt.task}: {len(examples)} examples are too few to train a judge and hold "
            "some out; give some thousands"
        )
    return learnt, held


def _said(prompts: Sequence[Prompt]) -> tuple[list[str], list[str]]:
    """What stands before tickets, and all codes, before anything knows which will be taken."""
    codes = [
        tuple(islice(Codes.candidates(len(prompt.label_set)), len(prompt.label_set)))
        for prompt in prompts
    ]
    systems = [prompt.system(own_codes) for prompt, own_codes in zip(prompts, codes, strict=True)]
    return systems, sorted({code for codes_of_task in codes for code in codes_of_task})
