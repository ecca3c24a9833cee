"""How often somebody may ask."""

from __future__ import annotations

from facecli.server.rates import SECONDS, Rates


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_within_any_minute_somebody_may_ask_so_often_and_others_too() -> None:
    clock = Clock()
    rates = Rates(2, clock)
    assert [rates.hit("Ada") for _ in range(3)] == [True, True, False]
    assert rates.hit("Grace")
    clock.now += SECONDS / 2
    assert not rates.hit("Ada")
    clock.now += SECONDS / 2
    assert [rates.hit("Ada") for _ in range(3)] == [True, True, False]  # what was refused did not count


def test_the_window_moves() -> None:
    clock = Clock()
    rates = Rates(2, clock)
    assert rates.hit("Ada")
    clock.now += 40
    assert rates.hit("Ada")
    clock.now += 25  # the first is over, the second is not
    assert [rates.hit("Ada") for _ in range(2)] == [True, False]


def test_who_has_not_asked_for_a_while_is_forgotten() -> None:
    clock = Clock()
    rates = Rates(2, clock)
    for number in range(1000):
        rates.hit(f"address {number}")
    clock.now += SECONDS
    rates.hit("Ada")
    assert len(rates) == 1
