"""Makes the batches of one training: in its own process, or ahead of it in worker processes.

Workers are forked: inputs in memory, files that are mapped and a person's functions are then theirs without a copy, and
what forked the job has computed with one thread. They never touch a GPU. A worker ends by itself within seconds of the
process that it works for.
"""

import resource
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import tee

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from heft.data.examples import Examples
from heft.data.mapped_inputs import MappedInputs
from heft.errors import HeftError
from heft.training.augment import Augmenter
from heft.training.settings import TrainingSettings

Index = tuple[int, np.ndarray]
TORCH_SAYS = ("DataLoader worker", "Pin memory thread")  # where a worker ended that was not told to


@contextmanager
def batches_of(
    train: Examples, settings: TrainingSettings, order_seed: int, weights: Tensor
) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
    """The batches of all epochs, each as the rows of weight above 0, int64 [b], and their inputs [b, ...], on the
    device of `train`.

    weights: [n], on the CPU. Raises HeftError where an augmentation fails, or a worker is killed.
    """
    order, ahead = tee(_kept_rows(len(train), settings, order_seed, weights))
    if not has_work(train, settings):
        drawn = Augmenter(settings, train.inputs, train.modality, order_seed)
        on_device = ((torch.from_numpy(rows).to(train.device), epoch) for epoch, rows in order)
        yield ((rows, drawn.inputs(rows, epoch)) for rows, epoch in on_device)
        return
    drawn = Augmenter(settings, train.inputs.cpu(), train.modality, order_seed)
    try:
        with _made_ahead(_Batches(drawn), ahead, settings.workers, train.device.type == "cuda") as made:
            yield (_moved(rows, inputs, train.device) for (_, rows), inputs in zip(order, made, strict=True))
    except RuntimeError as error:
        if not str(error).startswith(TORCH_SAYS):
            raise
        raise HeftError(
            "a worker process of the training was killed, most often because memory, or shared memory in /dev/shm, ran "
            "out; run the same command again, with fewer training.workers (0 is none) where it happens again."
        ) from error


def batches(n: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """One epoch: the numbers 0..n-1 in random order, in pieces of `batch_size`."""
    yield from torch.randperm(n, generator=generator).split(batch_size)


def has_work(train: Examples, settings: TrainingSettings) -> bool:
    """Whether there are workers, and something for them to do: pictures to augment, or inputs to read from a file."""
    return settings.workers > 0 and bool(settings.augmentation or isinstance(train.inputs, MappedInputs))


def cpu_seconds() -> float:
    """CPU seconds that this process has taken, and workers of it that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _kept_rows(n: int, settings: TrainingSettings, order_seed: int, weights: Tensor) -> Iterator[Index]:
    """Epoch, from 1, and rows of weight above 0 of each batch; each epoch is a random order of all n rows."""
    generator = torch.Generator().manual_seed(order_seed)
    for epoch in range(1, settings.epochs + 1):
        for batch in batches(n, settings.batch_size, generator):
            yield epoch, batch[weights[batch] > 0].numpy()


class _Batches(Dataset[Tensor | Exception]):
    """The inputs of a batch, or the mistake or fault that is said in one sentence: torch would add its own to it."""

    def __init__(self, drawn: Augmenter) -> None:
        self._drawn = drawn

    def __getitem__(self, index: Index) -> Tensor | Exception:
        epoch, rows = index
        try:
            # In memory of its own: many mapped inputs would stay in their file.
            return self._drawn.inputs(torch.from_numpy(rows), epoch).contiguous()
        except (HeftError, MemoryError, OSError) as error:
            return error


@contextmanager
def _made_ahead(
    made_of: _Batches, order: Iterator[Index], n_workers: int, pinned: bool
) -> Iterator[Iterator[Tensor | Exception]]:
    """The batches in their order, made by workers that live until the block ends."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create")  # more than there are cores
        loader = DataLoader(
            made_of,
            batch_size=None,
            sampler=order,
            num_workers=n_workers,
            pin_memory=pinned,
            multiprocessing_context="fork",
            worker_init_fn=_begin,
            generator=torch.Generator(),  # the global one is drawn from in training
        )
        made = _MultiProcessingDataLoaderIter(loader)
    try:
        yield made
    finally:
        made._shutdown_workers()


def _begin(worker: int) -> None:
    """An interrupt is for the process that trains, which then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _moved(rows: np.ndarray, inputs: Tensor | Exception, device: torch.device) -> tuple[Tensor, Tensor]:
    if isinstance(inputs, Exception):
        raise inputs
    return torch.from_numpy(rows).to(device), inputs.to(device, non_blocking=True)
