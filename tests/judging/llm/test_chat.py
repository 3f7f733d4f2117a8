"""How models of several families are talked to, as their own templates would have it."""

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.chat_prompt import ChatPrompt
from streamer.judging.llm.codes import Codes
from tests.judging.families import FAMILIES
from tests.judging.tiny import make_prompt, save_tokenizer

DATES = ("2025", "2026", "2027", "2028")


@pytest.fixture(scope="module", params=FAMILIES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def chat(name: str, tmp_path_factory: pytest.TempPathFactory) -> Chat:
    folder = tmp_path_factory.mktemp(name)
    FAMILIES[name].save_tokenizer(folder)
    return Chat.at(folder)


def test_the_answer_begins_where_the_template_has_it_and_thinking_is_over(
    name: str, chat: Chat
) -> None:
    family = FAMILIES[name]
    assert chat.frame.after == family.answer
    assert chat.template(family.end) == [chat.frame.end]


def test_letters_are_single_tokens_of_the_answer(chat: Chat) -> None:
    codes = Codes.assign(10, chat.answer)
    assert codes.texts == tuple("ABCDEFGHIJ")
    assert [chat.written([token]).strip() for token in codes.ids] == list(codes.texts)


def test_a_prompt_says_no_date_of_today_and_each_text_once(chat: Chat) -> None:
    prompt = ChatPrompt.of(chat, make_prompt(3), ("A", "B", "C"), max_ticket_tokens=64)
    [ticket] = prompt.encode(["where is the parcel"])
    written = chat.written(ticket.ids)
    assert not any(date in written for date in DATES)
    assert written.count("where is the parcel") == 1
    assert written.count("You label the tickets of a help desk.") == 1


def test_a_template_that_leaves_out_a_text_is_refused(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, "{{ messages[-1].content | lower }}")
    with pytest.raises(ConfigError, match="does not write what it is given"):
        Chat.at(tmp_path)
