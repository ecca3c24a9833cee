"""The inputs of a user's module: shapes, names and free axes from texts."""

from facecli.export.recipes.user_inputs import parse_inputs


def test_texts_become_shapes_and_free_axes():
    inputs = parse_inputs(("1x3x8x6", "scale=1x1"), ("input1:2", "0=n"))
    assert inputs.shapes == {"input1": (1, 3, 8, 6), "scale": (1, 1)}
    assert inputs.free == {"input1": {2: "height", 0: "n"}, "scale": {0: "n"}}
    assert [array.shape for array in inputs.sample(4, 2)] == [(4, 3, 12, 6), (4, 1)]
    assert [array.shape for array in parse_inputs(("7x3",), ("none",)).sample(4, 1)] == [(7, 3)]
