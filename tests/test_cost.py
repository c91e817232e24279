"""CPU seconds and peak memory of a block are its own."""

import platform
import time

import pytest
import torch

from heft.scoring.cost import forward_cpu_seconds, measure


def test_sleeping_costs_no_cpu_seconds_and_computing_does() -> None:
    with measure() as asleep:
        time.sleep(0.2)
    with measure() as busy:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    assert asleep.cpu_seconds < 0.1
    assert busy.cpu_seconds == pytest.approx(0.2, abs=0.05)


def test_the_peak_counts_what_the_block_holds_at_once_even_if_freed() -> None:
    with measure() as small:
        pass
    with measure() as large:
        held = torch.ones(64, 2**18)  # 64 MiB, written so that it is resident
        del held
    assert small.peak_mb < 16
    assert 60 < large.peak_mb < 90


def test_an_earlier_peak_is_not_charged() -> None:
    held = torch.ones(64, 2**18)
    del held
    with measure() as after:
        pass
    assert after.peak_mb < 16


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to give back freed memory")
def test_freed_memory_that_is_used_again_counts() -> None:
    def small_pieces() -> list[torch.Tensor]:
        return [torch.ones(4096) for _ in range(4096)]  # 64 MiB in pieces that the C library keeps when they are freed

    held, above = small_pieces(), torch.ones(4096)
    del held
    with measure() as again:
        held = small_pieces()
    assert 50 < again.peak_mb < 90
    del above, held


def test_a_cost_is_there_after_an_error() -> None:
    with pytest.raises(ValueError, match="stop"), measure() as cost:
        raise ValueError("stop")
    assert cost.cpu_seconds >= 0


def test_the_forward_pass_of_more_data_costs_more() -> None:
    model = torch.nn.Linear(512, 512)
    state = dict(model.state_dict())
    few, many = (forward_cpu_seconds(model, state, torch.rand(n, 512)) for n in (256, 8192))
    assert 0 < few < many
