"""Teaches a language model its tasks, into the folder that the judge service reads."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.codes import LARGEST
from streamer.judging.llm.prompt import Prompt
from streamer.learn.artifacts.manifest import Manifest, Recipe
from streamer.learn.artifacts.repository import check_ours, latest_version, new_version
from streamer.learn.data.examples import Examples
from streamer.learn.judge.teaching import bare_prompts, training_loop, training_set
from streamer.learn.judge.teaching import base as base_module
from streamer.learn.judge.teaching.bare_prompts import bare_prompt, write_prompts
from streamer.learn.judge.teaching.base import Base
from streamer.learn.judge.teaching.checkpoint import Checkpoint
from streamer.learn.judge.teaching.training_loop import Progress, TrainingLoop
from streamer.learn.judge.teaching.training_set import TrainingExample
from streamer.learn.measures.scores import Scores
from streamer.records.labelset import LabelSet

_MODULES = (bare_prompts, base_module, training_set, training_loop)
_HELD_OUT_SHARE = 0.1

Subject = tuple[str, LabelSet, Examples]
"""A task, its labels, and its tickets with the right ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTeacher:
    """One model for all tasks, in `<folder>/<version>/`; tickets are cut as the judge cuts them.

    How far it has come lies in the folder `kept`, from where the same order goes on.
    """

    base: Base
    folder: Path
    kept: Path
    loop: TrainingLoop
    max_ticket_tokens: int = 1024

    def train(
        self, subjects: Sequence[Subject], *, seed: int, progress: Progress
    ) -> dict[str, Manifest]:
        """Manifests by task. A new version, unless the newest is of the same all.

        The scores are of a held-out share, which the model never learns from. Raises `ConfigError`
        for a label out of place, too few examples, more than 128 labels, a base that
        can't be taught, or a folder with a model that was not trained here.
        """
        self._check()
        for task, label_set, examples in subjects:
            if len(label_set) > LARGEST:
                raise ConfigError(
                    f"task {task} has {len(label_set)} labels, and a language model is taught "
                    f"{LARGEST} at most: train a judge of kind classifier"
                )
            examples.check_labels(label_set.labels, f"task {task}")
        recipes = [self._recipe(*subject, seed) for subject in subjects]
        if (manifests := self._made(recipes)) is not None:
            return manifests
        chat = self.base.chat()
        prompts = [bare_prompt(task, label_set) for task, label_set, _ in subjects]
        parts = [
            self._split(chat, prompt, examples, seed)
            for prompt, (_, _, examples) in zip(prompts, subjects, strict=True)
        ]
        network = self.base.network()
        checkpoint = Checkpoint(self.kept / f"{_name(recipes)}.safetensors")
        self.loop.teach(network, [learnt for learnt, _ in parts], seed, checkpoint, progress)
        with new_version(self.folder.parent, self.folder.name) as folder:
            self.base.write(network, folder)
            write_prompts(prompts, folder)
            manifests = {
                recipe.task: self._told(folder, recipe, network, held)
                for recipe, (_, held) in zip(recipes, parts, strict=True)
            }
        checkpoint.drop()
        return manifests

    def _check(self) -> None:
        check_ours(self.folder)
        base = self.base.files.folder.resolve()
        if self.folder.resolve().is_relative_to(base):
            raise ConfigError(
                f"judge.model: {self.folder} lies in the base's own folder, which is never written "
                "to: name another one for what is taught"
            )

    def _split(
        self, chat: Chat, prompt: Prompt, examples: Examples, seed: int
    ) -> tuple[TrainingExample, TrainingExample]:
        learnt, held = examples.split(_HELD_OUT_SHARE, seed)
        if not len(learnt) or not len(held):
            raise ConfigError(
                f"task {prompt.task}: {len(examples)} examples are too few to teach a judge and "
                "hold some out; give some hundreds"
            )
        most = self.max_ticket_tokens
        return (
            TrainingExample.of(chat, prompt, learnt, most),
            TrainingExample.of(chat, prompt, held, most),
        )

    def _told(self, folder: Path, recipe: Recipe, network: Any, held: TrainingExample) -> Manifest:
        scores = Scores.of(self.loop.probabilities(network, held), held.gold)
        settings = {**asdict(self.loop), "layers": self.base.layers}
        manifest = Manifest.new(recipe, settings, scores)
        (folder / recipe.task).mkdir()
        manifest.write(folder / recipe.task)
        return manifest

    def _made(self, recipes: Sequence[Recipe]) -> dict[str, Manifest] | None:
        newest = latest_version(self.folder.parent, self.folder.name)
        manifests = {}
        for recipe in recipes:
            manifest = Manifest.read(self.folder / str(newest) / recipe.task)
            if manifest is None or manifest.recipe != recipe:
                return None
            manifests[recipe.task] = manifest
        return manifests

    def _recipe(self, task: str, label_set: LabelSet, examples: Examples, seed: int) -> Recipe:
        told = orjson.dumps([self.max_ticket_tokens, self.base.layers, asdict(self.loop)])
        sources = [Path(str(module.__file__)).read_bytes() for module in _MODULES]
        return Recipe(
            task=task,
            kind="llm",
            label_set=label_set.version,
            labels=label_set.labels,
            data_sha256=examples.sha256,
            rows=len(examples),
            seed=seed,
            code=sha256(b"\0".join([told, *sources])).hexdigest()[:16],
            base=self.base.digest,
        )


def _name(recipes: Sequence[Recipe]) -> str:
    return sha256("".join(recipe.digest for recipe in recipes).encode()).hexdigest()[:32]
