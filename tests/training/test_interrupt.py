import signal
import threading

import pytest

from trainsmith.training import stop_on_interrupt


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_raises(first, second):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_on_interrupt() as asked:
        assert not asked()
        signal.raise_signal(first)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(second)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_other_threads_are_left_alone():
    answers = []

    def work():
        with stop_on_interrupt() as asked:
            answers.append(asked())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]
