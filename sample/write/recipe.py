"""The recipe of the bundled sample: its seed, its size and its mix."""

from sample.write.composer import Mix

SEED = 20260729
TRAIN_ROWS = 4000
TEST_ROWS = 1200
CALIBRATE_ROWS = 800
NEAR_DUPLICATE_LIMIT = 0.8

_INTENTS = {
    "account_change": 9.0,
    "billing_invoice": 12.0,
    "bug_report": 15.0,
    "data_export": 7.0,
    "feature_request": 8.0,
    "how_to": 11.0,
    "integration_api": 10.0,
    "login_access": 12.0,
    "performance": 9.0,
    "refund": 7.0,
}


def _moods(negative: float, neutral: float, positive: float) -> dict[str, float]:
    return {"negative": negative, "neutral": neutral, "positive": positive}


_MOODS = {
    "account_change": _moods(0.20, 0.55, 0.25),
    "billing_invoice": _moods(0.38, 0.45, 0.17),
    "bug_report": _moods(0.45, 0.37, 0.18),
    "data_export": _moods(0.30, 0.48, 0.22),
    "feature_request": _moods(0.15, 0.40, 0.45),
    "how_to": _moods(0.15, 0.50, 0.35),
    "integration_api": _moods(0.32, 0.48, 0.20),
    "login_access": _moods(0.40, 0.42, 0.18),
    "performance": _moods(0.48, 0.34, 0.18),
    "refund": _moods(0.50, 0.38, 0.12),
}

_HARD = {
    "": 69.0,
    "typos": 8.0,
    "two_topics": 7.0,
    "sarcasm": 4.0,
    "very_short": 5.0,
    "very_long": 4.0,
    "vague": 3.0,
}

_MOOD_LINES = {"1": 0.35, "2": 0.45, "3": 0.2}

TRAIN = Mix(_INTENTS, _MOODS, _HARD, _MOOD_LINES, unseen_topic=0.0, unseen_mood=0.0)
TEST = Mix(_INTENTS, _MOODS, _HARD, _MOOD_LINES, unseen_topic=0.24, unseen_mood=0.33)
