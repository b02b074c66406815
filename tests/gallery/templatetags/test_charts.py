"""Charts draw each figure as long as it is."""

from gallery.ledger import Saving
from gallery.templatetags.charts import Box, fall_bar, finished_chart, share_bar
from rendering.stats import Bar
from tests.makers import NOON


def test_bars_are_as_high_as_their_figures_an_hour():
    chart = finished_chart([Bar(NOON, 2.0, 10, 40), Bar(NOON, 2.0, 0, 20)])

    assert (chart.width, chart.highest) == (20, 20)
    assert [(box.series, box.height, box.y) for box in chart.boxes] == [
        ("first", 25, 75),
        ("second", 100, 0),
        ("second", 50, 50),
    ]
    assert [box.x for box in chart.boxes] == [0, 4.25, 14.25]


def test_smallest_figure_is_seen_and_nothing_is_not():
    chart = finished_chart([Bar(NOON, 1.0, 1, 1000), Bar(NOON, 1.0, 0, 0)])

    assert [box.height for box in chart.boxes] == [1, 100]
    assert finished_chart([]).boxes == []


def test_lying_bar_is_as_long_as_its_share():
    assert share_bar(1, 4) == Box(0, 0, 25, 10, "first")
    assert share_bar(1, 0).width == 0
    assert share_bar(-1, 4).width == 0


def test_step_of_a_waterfall_goes_from_before_to_after():
    naive = Saving(cpu_seconds=10, bytes=100)

    fall = fall_bar(Saving(cpu_seconds=8), Saving(cpu_seconds=6), naive)
    loss = fall_bar(Saving(cpu_seconds=6), Saving(cpu_seconds=7), naive)

    assert (fall.x, fall.width, fall.series) == (60, 20, "second")
    assert (loss.x, loss.width, loss.series) == (60, 10, "loss")
    assert fall_bar(naive, Saving(bytes=50), naive, "bytes").width == 50
