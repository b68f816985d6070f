"""Answers that are computed at the same time do not make torch's threads wait for each other."""

from __future__ import annotations

import pytest
import torch

from resnet_demo.inference.threads import AnswerThreads


def test_a_small_picture_takes_one_thread_and_gives_the_others_back() -> None:
    before = torch.get_num_threads()
    with AnswerThreads(4).share(32) as threads:
        assert (threads, torch.get_num_threads()) == (1, 1)
    assert torch.get_num_threads() == before


def test_a_large_picture_takes_all_threads_only_while_it_is_alone() -> None:
    answers = AnswerThreads(2)
    with answers.share(224) as alone:
        assert (alone, torch.get_num_threads()) == (2, 2)
        with answers.share(224) as beside:
            assert (beside, torch.get_num_threads()) == (1, 1)
        assert torch.get_num_threads() == 2


def test_an_answer_that_fails_counts_no_longer_and_restores_the_threads() -> None:
    answers, before = AnswerThreads(2), torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), answers.share(32):
        _ = 1 / 0
    assert torch.get_num_threads() == before
    with answers.share(224) as threads:
        assert threads == 2
