"""Threads that share a device: calls do not interleave, and each has the results of a single thread."""

import threading

import numpy as np


def test_threads_share_a_device(device):
    """Products, registers and what else there is, from four threads; every one of 20 products has its own bits."""
    rng = np.random.default_rng(1)
    pairs = [
        (rng.standard_normal((2, 7)).astype(np.float32), rng.standard_normal((7, 3)).astype(np.float32))
        for _ in range(4)
    ]
    due = [device.matmul(*pair).tobytes() for pair in pairs]
    found: list[list[bytes]] = [[] for _ in pairs]
    failures = []

    def work(n):
        try:
            for _ in range(5):
                found[n].append(device.matmul(*pairs[n]).tobytes())
                device.write("a_threshold", n)
                assert device.read("rows") == 1
                assert device.info().baud == 460_800
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert found == [[product] * 5 for product in due]


def test_progress_may_use_the_device(device):
    """The lock is the thread's own, and what is told of the progress may close, or read what is known."""
    rates = []
    device.matmul(np.ones((1, 4)), np.ones((4, 1)), progress=lambda _: rates.append(device.info().baud))
    assert set(rates) == {460_800}


def test_closing_waits_for_a_product(device):
    """Another thread closes the device in mid-product: the product is whole."""
    a, b = np.ones((2, 30), np.float32), np.ones((30, 3), np.float32)
    due, threads = device.matmul(a, b).tobytes(), []

    def close(_share):
        if not threads:
            threads.append(threading.Thread(target=device.close))
            threads[0].start()

    found = device.matmul(a, b, progress=close)
    threads[0].join()
    assert found.tobytes() == due
    assert device.connection.framed_port.closed
