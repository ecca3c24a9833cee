"""Options that describe a model of the user's; each fills the field of its name in a ModelDescription."""

from __future__ import annotations

import click

from facecli.cli import options, values
from facecli.cli.values import numbers, size
from facecli.kinds import METRICS

describing_options = options.chain(
    click.option("--kind", type=click.Choice(["detector", "recognizer", "attribute"]), help="What it does."),
    click.option("--family", metavar="DETECTOR", help="Of a detector: whose outputs it has, such as scrfd."),
    click.option("--crop", metavar="arcface|dlib|bbox|MODEL", help="How its faces are cut, or as whose."),
    click.option("--size", callback=size, metavar="WxH", help="Size of a bbox crop, px."),
    click.option(
        "--margin",
        type=values.Finite(-0.4, 10),
        help="Of a bbox crop: part of the box added on each side; negative to cut off.",
    ),
    click.option("--square", is_flag=True, help="Of a bbox crop: grow the shorter side to the longer."),
    click.option("--colour", type=click.Choice(["RGB", "BGR", "grey"]), help="Colour order of its input."),
    click.option("--mean", callback=numbers, metavar="N[,N,N]", help="Subtracted from pixels 0..255."),
    click.option("--std", callback=numbers, metavar="N[,N,N]", help="What they are divided by then."),
    click.option("--layout", type=click.Choice(["NCHW", "NHWC"]), help="Order of its input's axes."),
    click.option("--dim", type=click.IntRange(1), help="Length of its embeddings."),
    click.option("--normalized", is_flag=True, help="Bring its embeddings to length 1."),
    click.option("--metric", type=click.Choice(METRICS), help="Distance that its threshold is of."),
    click.option("--threshold", type=values.Finite(0), help="Largest distance that is still the same person."),
    click.option("--attribute", help="What an attribute model tells, such as emotion."),
    click.option("--labels", callback=values.split_commas, metavar="LABEL,...", help="Its classes, in column order."),
    click.option("--logits", is_flag=True, help="Of an attribute model: its file ends before the softmax."),
    click.option("--summary", help="One line about it."),
    click.option("--licence", "--license", help="Its licence, as an SPDX name where there is one."),
    click.option("--commercial-use/--no-commercial-use", default=None, help="Whether the licence allows it."),
    click.option("--source", help="Where it is from."),
)
