"""Films are written at the times of their frames, with the sound of another film as it was."""

from __future__ import annotations

import hashlib
from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest

from facecli.errors import OutputError, UsageError
from facecli.film.address import address_of
from facecli.film.library import FilmLibraryError
from facecli.film.reading import Film
from facecli.film.writing import FilmWriter, check, written

av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")


def sound_of(path):
    """Each packet's time, rounded to ms, and the hash of its bytes."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [
            (round(float(p.pts * p.time_base), 3), hashlib.sha256(bytes(p)).hexdigest())
            for p in packets
            if p.pts is not None
        ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("codec", ["mpeg4", None])
def test_times_and_sound_stay_as_they_are(suffix, codec, film, tmp_path):
    source, target = film(times=(0, 40, 500, 520, 1700, 1733), sound=True), tmp_path / f"copy{suffix}"
    opened = Film(address_of(str(source)))
    with written(target) as (path, form):
        writer = FilmWriter(path, form, (opened.facts.width, opened.facts.height), opened.facts.rate, codec)
        writer.copy_sound(opened.address, 0.0)
        frames = list(opened.frames())
        for frame in frames:
            writer.write(frame.image.pixels, frame.time)
        writer.finish()
    copied = list(Film(address_of(str(target))).frames())
    # Matroska knows no time before 0, where AAC begins: there all times are later by as much.
    shift = copied[0].time if suffix == ".mkv" else 0.0
    assert [frame.time - shift for frame in copied] == pytest.approx([frame.time for frame in frames], abs=0.0011)
    assert np.abs(copied[3].image.pixels.astype(int) - frames[3].image.pixels).mean() < 6
    before, after = sound_of(source), sound_of(target)
    assert len(before) > 10
    assert [content for _, content in after] == [content for _, content in before]
    assert [time - shift for time, _ in after] == pytest.approx([time for time, _ in before], abs=0.0015)


@pytest.mark.parametrize(
    "words", [("track", "--no-join", "--annotate", "o.mp4"), ("anonymize", "--audio", "copy", "-o", "o.mp4")]
)
def test_commands_keep_the_times_of_a_variable_rate_and_the_sound(words, run_cli, film, tmp_path):
    source = film(times=(0, 33, 67, 500, 521, 1700, 1733, 1800), sound=True)
    command, *options = words
    done = run_cli(command, source, *options, "--codec", "mpeg4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before, after = ([f.time for f in Film(address_of(str(path))).frames()] for path in (source, tmp_path / "o.mp4"))
    assert after == pytest.approx(before, abs=0.001)
    assert [content for _, content in sound_of(tmp_path / "o.mp4")] == [content for _, content in sound_of(source)]


def test_odd_sizes_can_be_written(tmp_path):
    with written(tmp_path / "odd.mp4") as (path, form):
        writer = FilmWriter(path, form, (65, 47), 25, "mpeg4")
        writer.write(np.zeros((47, 65, 3), np.uint8), 0.0)
        writer.finish()
    assert Film(address_of(str(tmp_path / "odd.mp4"))).facts.width == 64


def test_a_film_appears_whole_or_not_at_all(tmp_path):
    def fail():
        with written(tmp_path / "film.mp4") as (path, form):
            writer = FilmWriter(path, form, (64, 48), 25, "mpeg4")
            writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
            writer.close()
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_places_and_codecs_that_can_not_be_are_refused_before_work(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="can not write a film as"):
        check(tmp_path / "film.jpg", None)
    monkeypatch.setattr("facecli.film.writing.ENCODERS", {"av1": (("none-of-it", {}),)})
    with pytest.raises(FilmLibraryError, match="no encoder of av1"):
        check(tmp_path / "film.mp4", "av1")


def test_a_copy_is_shown_as_the_film_is(tmp_path):
    """Pixels that are not square stay so, and colours are converted back as they were converted."""
    source, target = tmp_path / "source.mp4", tmp_path / "target.mp4"
    if "libx264" not in av.codecs_available:
        pytest.skip("this FFmpeg has no libx264")
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(4, 3)
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), (200, 30, 0), np.uint8), format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=1)))
        container.mux(stream.encode(None))
    with written(target) as (path, form), closing(Film(address_of(str(source)))) as opened:
        writer = FilmWriter(path, form, (64, 48), 25, None)
        writer.show_as(opened.facts.display)
        for one in opened.frames():
            writer.write(one.image.pixels, one.time)
        writer.finish()
    shown = []
    for path in (source, target):
        with av.open(str(path)) as container:
            context, frame = container.streams.video[0].codec_context, next(container.decode(video=0))
            tags = context.colorspace, context.color_range, context.color_primaries, context.color_trc
            shown.append((context.sample_aspect_ratio, tags, frame.to_ndarray()))
    assert shown[0][:2] == shown[1][:2] == (Fraction(4, 3), (1, 1, 1, 1))
    assert np.abs(shown[0][2].astype(int) - shown[1][2]).max() <= 2


def test_what_a_format_does_not_hold_is_refused_before_work(film, tmp_path):
    with pytest.raises(OutputError, match="webm holds no h264"):
        check(tmp_path / "a.webm", "h264")
    loud = film("loud.mp4", sound=True)
    with written(tmp_path / "b.webm") as (path, form):
        writer = FilmWriter(path, form, (64, 48), 25, None)
        with pytest.raises(OutputError, match="no sound of the codec aac"):
            writer.copy_sound(address_of(str(loud)), 0.0)
        writer.close()


def test_the_sound_of_recordings_put_end_to_end_goes_on(film, tmp_path):
    part = film("part.ts", sound=True, longer=0.0)
    whole = tmp_path / "whole.ts"
    whole.write_bytes(2 * part.read_bytes())
    with written(tmp_path / "copy.mp4") as (path, form):
        writer = FilmWriter(path, form, (64, 48), 25, "mpeg4")
        writer.copy_sound(address_of(str(whole)), 0.0)
        for number in range(20):
            writer.write(np.zeros((48, 64, 3), np.uint8), number / 25)
        writer.finish()
    heard = []
    for place in (part, whole, tmp_path / "copy.mp4"):
        with av.open(str(place)) as container:
            heard.append([(float(p.pts * p.time_base), bytes(p)) for p in container.demux(audio=0) if p.size])
    assert [len(one) for one in heard[1:]] == [2 * len(heard[0])] * 2
    times = [time for time, _ in heard[2]]
    assert np.diff(times) == pytest.approx([0.064] * (len(times) - 1), abs=0.001)
