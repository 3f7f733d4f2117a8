"""Composes one ticket from the grammar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sample.write.dice import Dice
from sample.write.grammar import Grammar, Sections
from sample.write.phrase import Phrase
from sample.write.typing_errors import mistype

# Only there do people say which computer they sit at.
_ON_A_MACHINE = {"bug_report", "login_access", "performance"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket without its id; ``hard`` names the difficulty, empty for a plain one."""

    subject: str
    text: str
    intent: str
    sentiment: str
    hard: str


@dataclass(frozen=True, slots=True)
class Mix:
    """How likely each kind of ticket is; shares lie between 0 and 1.

    ``unseen_topic`` and ``unseen_mood`` are the shares of tickets that are worded with the lines
    kept back for the test split.
    """

    intents: Mapping[str, float]
    moods: Mapping[str, Mapping[str, float]]
    hard: Mapping[str, float]
    mood_lines: Mapping[str, float]
    unseen_topic: float
    unseen_mood: float


class Composer:
    """Draws tickets of one mix."""

    def __init__(self, grammar: Grammar, mix: Mix, dice: Dice) -> None:
        self._grammar = grammar
        self._mix = mix
        self._dice = dice

    def draw(self) -> Draft:
        """One ticket, drawn anew at each call."""
        hard = self._dice.weighted(self._mix.hard)
        intent = self._dice.weighted(self._mix.intents)
        sarcastic = hard == "sarcasm"
        sentiment = "negative" if sarcastic else self._dice.weighted(self._mix.moods[intent])
        unseen = self._dice.chance(self._mix.unseen_topic)
        wording = _Wording(self._grammar, self._dice, intent, unseen)
        mood = self._mood("sarcasm" if sarcastic else sentiment, wording)
        text = wording.text(hard, mood)
        subject = self._mood_subject(sentiment, wording) or wording.subject(hard)
        if hard == "typos":
            text = mistype(text, 0.35, self._dice)
            subject = mistype(subject, 0.2, self._dice)
        return Draft(subject, text, intent, sentiment, hard)

    def _mood(self, kind: str, wording: "_Wording") -> list[str]:
        unseen = self._dice.chance(self._mix.unseen_mood)
        lines = _lines(self._grammar.affect, kind, unseen)
        if kind == "neutral":
            return [wording.say(self._dice.pick(lines))] if self._dice.chance(0.35) else []
        said = [
            self._dice.pick(lines) for _ in range(int(self._dice.weighted(self._mix.mood_lines)))
        ]
        return [wording.say(line) for line in dict.fromkeys(said)]

    def _mood_subject(self, sentiment: str, wording: "_Wording") -> str:
        if sentiment == "neutral" or not self._dice.chance(0.2):
            return ""
        unseen = self._dice.chance(self._mix.unseen_mood)
        return wording.say(
            self._dice.pick(_lines(self._grammar.affect, f"subject_{sentiment}", unseen))
        )


class _Wording:
    """The sentences of one ticket, all from one vocabulary: the common one or the unseen one."""

    def __init__(self, grammar: Grammar, dice: Dice, intent: str, unseen: bool) -> None:
        self._grammar = grammar
        self._dice = dice
        self._intent = intent
        self._unseen = unseen
        self.say = Phrase(grammar.slots, dice).say

    def subject(self, hard: str) -> str:
        if self._dice.chance(0.12 if hard != "very_short" else 0.6):
            return ""
        if hard == "vague" or self._dice.chance(0.4):
            return self._frame("subject")
        return self._topic("subject")

    def text(self, hard: str, mood: Sequence[str]) -> str:
        if hard == "very_short":
            return self._very_short(mood)
        body = self._body(hard)
        for line in mood:
            body = [line, *body] if self._dice.chance(0.4) else [*body, line]
        return self._typeset(self._framed(body, hard))

    def _very_short(self, mood: Sequence[str]) -> str:
        words = self._topic("short")
        if self._dice.chance(0.5) and words[1:2].islower():
            words = words[:1].lower() + words[1:]
        ends = (".", "!", "?", "...") if mood else ("", ".", "!", "?", "...")
        return " ".join([words + self._dice.pick(ends), *mood[:1]])

    def _body(self, hard: str) -> list[str]:
        if hard == "vague":
            return [self._topic("vague")]
        body = [self._topic("core")]
        details = 2 if hard == "very_long" else int(self._dice.chance(0.3))
        body += self._several(self._topic_lines("detail"), details)
        if hard == "very_long":
            filler = self._several(self._grammar.common["filler"], 5 + self._dice.below(5))
            middle = self._dice.below(4)
            body = filler[:middle] + body + filler[middle:]
        return self._beside_another(body) if hard == "two_topics" else body

    def _several(self, lines: Sequence[str], draws: int) -> list[str]:
        drawn = dict.fromkeys(self._dice.pick(lines) for _ in range(draws))
        return [self.say(line) for line in drawn]

    def _beside_another(self, body: list[str]) -> list[str]:
        others = [name for name in self._grammar.intents if name != self._intent]
        sections = self._grammar.intents[self._dice.pick(others)]
        other = self.say(self._dice.pick(_lines(sections, "core", self._unseen)))
        if self._dice.chance(0.7):
            return [*body, self._frame("also"), other]
        return [self._frame("already"), other, self._frame("instead"), *body]

    def _framed(self, body: list[str], hard: str) -> list[list[str]]:
        chance, frame = self._dice.chance, self._frame
        long = hard == "very_long"
        before = [frame("background")] if long or chance(0.2) else []
        on_machine = self._intent in _ON_A_MACHINE and chance(0.2)
        after = [frame("environment")] if on_machine else []
        after += [frame("closing")] if chance(0.35) else []
        greeting = [frame("greeting")] if long or chance(0.45) else []
        signoff = [frame("signoff")] if long or chance(0.35) else []
        return [part for part in (greeting, before + body + after, signoff) if part]

    def _typeset(self, parts: list[list[str]]) -> str:
        between = "\n" if self._dice.chance(0.4) else " "
        text = between.join(" ".join(part) for part in parts)
        if self._dice.chance(0.1):
            text = text.lower()
        return text.rstrip(".") if self._dice.chance(0.15) else text

    def _topic(self, section: str) -> str:
        return self.say(self._dice.pick(self._topic_lines(section)))

    def _topic_lines(self, section: str) -> Sequence[str]:
        return _lines(self._grammar.intents[self._intent], section, self._unseen)

    def _frame(self, section: str) -> str:
        return self.say(self._dice.pick(_lines(self._grammar.common, section, self._unseen)))


def _lines(sections: Sections, name: str, unseen: bool) -> Sequence[str]:
    return sections.get(f"{name}.test", sections[name]) if unseen else sections[name]
