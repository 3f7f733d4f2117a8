"""Verbs about the configuration and the records."""

import argparse
from pathlib import Path

import orjson

from streamer.cli.verbs import Verbs, settings, with_json
from streamer.words import at_least_one, labels, pointer, pointers, task

_SHELLS = ("bash", "zsh", "fish")


def add(verbs: Verbs) -> None:
    _add_init(verbs)
    checked = verbs.add(
        check,
        "validate the configuration",
        more="Without --connect it reads the file and those that it names. With it, it also says"
        " what Kafka, Triton and the judge still lack, and tries the pointers on a few tickets: one"
        " line for each thing to mend, the first one first.",
        examples=(
            "streamer check",
            "streamer check --connect",
            "streamer check --connect --json | jq -r '.problems[]'",
        ),
    )
    checked.add_argument("--connect", action="store_true", help="also ask Kafka and Triton")
    with_json(checked, 'one line of JSON: {"good": ..., "problems": [...]}')
    listed = verbs.add(
        topics,
        "list the configured topics, or create those that are missing",
        more="What it creates keeps what it must: only the labels topic is compacted, and all take"
        " records as large as kafka.max_record_bytes asks. Topics that exist stay as they are, and"
        " are shown so. A tickets topic that is spelt nearly like one that exists is not made.",
        examples=(
            "streamer topics",
            "streamer topics --create --replication 3",
        ),
    )
    listed.add_argument("--create", action="store_true", help="create the missing ones")
    listed.add_argument(
        "--tickets", action="store_true", help="create that one too where another is spelt alike"
    )
    listed.add_argument(
        "--partitions", type=at_least_one, metavar="N", help="of each new one, and at least (6)"
    )
    listed.add_argument(
        "--replication", type=int, metavar="N", help="copies of each (3, or as brokers allow)"
    )
    with_json(listed, "one line of JSON for each topic")
    described = verbs.add(
        schema,
        "print the JSON Schema of a record, or the AsyncAPI document of all topics",
        examples=(
            "streamer schema label",
            "streamer schema ticket > ticket.schema.json",
            "streamer schema --asyncapi --config streamer.yaml > asyncapi.yaml",
        ),
        configured=False,
    )
    what = described.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", help="ticket, label, answer, log or another record")
    what.add_argument("--asyncapi", action="store_true", help="the document of all topics, as YAML")
    described.add_argument(
        "--config", type=Path, metavar="FILE", help="with --asyncapi: the topics' names are there"
    )
    completed = verbs.add(
        completion,
        "print a script that lets your shell complete verbs and options",
        more="Run one of these once, and open a new shell.",
        examples=(
            "streamer completion bash > ~/.local/share/bash-completion/completions/streamer",
            'streamer completion zsh > "${fpath[1]}/_streamer"',
            "streamer completion fish > ~/.config/fish/completions/streamer.fish",
        ),
        configured=False,
    )
    completed.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=", ".join(_SHELLS))


def init(options: argparse.Namespace) -> int:
    if options.prompts:
        from streamer.commands.init import prompts
        from streamer.config import load

        return prompts.run(load(options.out))
    from streamer.commands import init

    return init.run(
        init.InitOptions(
            bootstrap=options.bootstrap,
            topic=options.topic,
            id=options.id,
            text=options.text,
            task=options.task,
            labels=options.labels,
        ),
        sample=options.from_sample,
        out=options.out,
        agreed=options.yes,
        force=options.force,
    )


def check(options: argparse.Namespace) -> int:
    from streamer.commands.check import check
    from streamer.config.environment import Environment

    environment = Environment.of(options.config)
    return check.run(settings(options), environment, options.connect, options.json)


def topics(options: argparse.Namespace) -> int:
    from streamer.commands import topics

    return topics.run(
        settings(options),
        create=options.create,
        partitions=options.partitions,
        replication=options.replication,
        as_json=options.json,
        tickets=options.tickets,
    )


def schema(options: argparse.Namespace) -> int:
    if options.asyncapi:
        from streamer.commands import asyncapi

        return asyncapi.run(options.config)
    from streamer.records.schema import schema

    print(orjson.dumps(schema(options.name), option=orjson.OPT_INDENT_2).decode())
    return 0


def completion(options: argparse.Namespace) -> int:
    from streamer.cli.completion import script

    print(script(options.shell, options.command))
    return 0


def _add_init(verbs: Verbs) -> None:
    started = verbs.add(
        init,
        "write a streamer.yaml for your own topic, after asking",
        more="It asks for what the options leave out. Where Kafka answers, it offers the topics"
        " that it finds, and looks at a few tickets to propose where id and text are; it joins no"
        " group and commits nothing. In a script, give --topic and --labels.",
        examples=(
            "streamer init",
            "streamer init --topic helpdesk.tickets --labels billing,bug,question --yes",
            "streamer init --from-sample tickets.jsonl --labels low,high --task urgency",
            "streamer init --prompts  # for a judge of kind llm, once streamer.yaml is there",
        ),
        configured=False,
    )
    started.add_argument(
        "--kafka",
        "--bootstrap",
        dest="bootstrap",
        metavar="HOST:PORT",
        help="your Kafka (127.0.0.1:9092)",
    )
    started.add_argument("--topic", metavar="NAME", help="where your tickets are")
    started.add_argument(
        "--id", metavar="POINTER", type=pointer, help="to a ticket's id, such as /id"
    )
    started.add_argument(
        "--text", metavar="POINTERS", type=pointers, help="to its text, such as /subject,/body"
    )
    started.add_argument("--task", metavar="NAME", type=task, help="what labels are about (topic)")
    started.add_argument("--labels", metavar="NAMES", type=labels, help="such as billing,bug")
    started.add_argument(
        "--from-sample", type=Path, metavar="FILE", help="look at tickets in a file, not in Kafka"
    )
    started.add_argument(
        "--out",
        type=Path,
        default=Path("streamer.yaml"),
        metavar="FILE",
        help="where to write it (streamer.yaml)",
    )
    started.add_argument(
        "--prompts",
        action="store_true",
        help="write the prompts that judge.prompts lacks, for the tasks of that file",
    )
    started.add_argument("--yes", action="store_true", help="ask nothing: take what is proposed")
    started.add_argument("--force", action="store_true", help="write over a file that is there")
