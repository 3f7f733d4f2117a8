"""The texts of tickets, which a log has not."""

from collections.abc import Mapping
from pathlib import Path

from streamer.commands.file_tickets import FileRecord
from streamer.commands.send import tickets
from streamer.config.settings import Settings
from streamer.errors import TicketError
from streamer.records.rows import rows
from streamer.services.intake.ticket_reader import TicketReader
from streamer.terminal import note, watched


def ticket_texts(settings: Settings, file: Path) -> Mapping[str, str]:
    """By id, what the services would read of each ticket of a file as `streamer send` takes it.

    Of repeated ids the last counts. Those that the services would refuse are left out, and that is
    said. Raises `ConfigError` where the file can't be read.
    """
    ticket_reader, texts, refused = TicketReader.of(settings.input), dict[str, str](), 0
    for _, value in watched(tickets(rows(file), settings.input.id), "tickets"):
        try:
            ticket = ticket_reader.ticket(FileRecord(value))
        except TicketError:
            refused += 1
        else:
            texts[ticket.id] = ticket.text
    if refused:
        note(f"{refused} tickets of {file} are left out: no id or no text (as classify refuses)")
    return texts
