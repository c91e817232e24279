"""The command `new`: from a person's folder or file to a configuration file, and the command that runs it."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from heft.data.examples import as_rows
from heft.errors import HeftError
from heft.registry import find
from heft.workflow.configuration.files import merged, parse, read_file
from heft.workflow.configuration.named_keys import named
from heft.workflow.configuration.settings import NAME_PATTERN
from heft.workflow.new_experiment.choice import Choice, choose
from heft.workflow.new_experiment.facts import Facts, facts_of
from heft.workflow.new_experiment.file import file_of
from heft.workflow.new_experiment.forecast import (
    Forecast,
    Speeds,
    forecast,
    in_words,
    seconds_a_step,
    seconds_an_encoding,
)
from heft.workflow.new_experiment.kind import kind_of
from heft.workflow.new_experiment.work import Work, work_of
from heft.workflow.planning.plan import Plan, load_plan

PROJECT = Path(__file__).parents[4]


def new(name: str, data: str, target: str | None = None) -> Path:
    """Writes NAME.yaml into the working folder, says what was seen and chosen, and returns its path.

    Raises HeftError where the name does not fit, a file of that name is there, or the data are none that Heft reads.
    """
    file, experiment = Path(f"{name}.yaml"), experiment_name(name)
    if os.path.lexists(file):
        raise HeftError(f"{file} is there already, and is not written over; choose another NAME, or remove it.")
    path = Path(data).expanduser()
    kind = kind_of(path, target)
    facts = facts_of(kind)
    choice = choose(facts, kind.options)
    described = f"{facts.n:,} {'rows' if facts.modality not in ('images', 'texts') else facts.modality}"
    described += f" in {len(facts.counts):,} classes, {path.name}"
    text = file_of(experiment, Path.cwd(), kind.source, choice, described)
    predicted = _predicted(facts, choice, work_of(_plan(text, file), experiment))
    file.write_text(text, encoding="utf-8")
    for sentence in (*kind.assumed, *facts.sentences):
        print(f"  {sentence}")
    print(f"{file}: {described}. A run takes {in_words(predicted)}.")
    print(f"Next: {next_command(file)}")
    return file


def experiment_name(name: str) -> str:
    """The name of the experiment for a file name; raises HeftError where none can be made of it."""
    experiment = re.sub(r"[\s-]+", "_", name.lower())
    if not re.fullmatch(NAME_PATTERN, experiment):
        raise HeftError(f'NAME is "{name}"; it must be a word of letters (a-z), digits, _ and -, such as pets.')
    return experiment


def _plan(text: str, file: Path) -> Plan:
    """What a run would do; raises HeftError where it would refuse the settings."""
    return load_plan(merged(read_file(PROJECT / "config.yaml"), parse(text, str(file))), [file])


def _predicted(facts: Facts, choice: Choice, work: Work) -> Forecast:
    """The forecast for this machine, on which encoder and model are tried."""
    seconds, width = _encoding(facts, choice.encoder)
    shape, batch_size = facts.shape if width is None else [width], choice.training["batch_size"]
    step = seconds_a_step(choice.model, shape, len(facts.counts), batch_size, work.trainings)
    return forecast(facts, choice, work, Speeds(step, seconds), width, os.cpu_count() or 1)


def next_command(file: Path) -> str:
    """The command that runs the experiment from the working folder."""
    if Path.cwd().resolve() == PROJECT.resolve():
        return f'make run ARGS="--configfile {shlex.quote(str(file))}"'
    return f'make -C {shlex.quote(str(PROJECT))} run ARGS="--configfile {shlex.quote(str(file.resolve()))}"'


def _encoding(facts: Facts, encoder: Any) -> tuple[float, int | None]:
    """CPU seconds that an encoder takes for one example, and the width of its features; 0 and None without one."""
    if encoder is None:
        return 0.0, None
    name, options = named(encoder)
    built = find("data/encoders", name).load()(**options)
    batch = facts.sample if facts.modality == "texts" else as_rows(np.stack(facts.sample))
    return seconds_an_encoding(built, batch), built.width
