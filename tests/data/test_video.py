import av
import numpy as np
import pytest
from PIL import Image

from tests.support.sessions import TICKS, episode, plan, write_session
from touchstone.data.drawing import FOOTER, HEADER, VERDICT_COLOURS, Frame

ENDINGS = {"right": "right", "wrong": "wrong", "none": "never"}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_session(tmp_path_factory.mktemp("session"), list(ENDINGS.values()))


def test_the_film_runs_at_the_control_rate_and_holds_its_end(out):
    with av.open(str(out / "episodes" / "val-s0-0000.mp4")) as film:
        stream = film.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 5
    assert len(frames) == TICKS + round(1.5 * 5)
    assert frames[0].shape == (480 + HEADER + FOOTER, 640, 3)
    assert np.abs(frames[-1].astype(int) - frames[-3].astype(int)).mean() < 2


@pytest.mark.parametrize("number, kind", list(enumerate(ENDINGS)))
def test_the_end_picture_shows_the_verdict_in_its_colour(out, number, kind):
    picture = np.asarray(Image.open(out / "episodes" / f"val-s0-000{number}.jpg"))
    assert picture.shape == (480 + HEADER + FOOTER, 640, 3)
    band = np.median(picture[-FOOTER + 2 : -2, -30:], axis=(0, 1))
    assert np.allclose(band, VERDICT_COLOURS[kind], atol=12)


def test_the_camera_picture_is_not_covered_and_the_instruction_stands_above_it():
    spec = plan(0)
    tick = episode(spec)[0]
    image = tick.observation.cameras["scene"].image
    frame = Frame(spec).running(image, tick.facts)
    assert np.array_equal(frame[HEADER:-FOOTER], image)
    assert frame[:HEADER].std() > 10 and frame[-FOOTER:].std() > 10


def test_pictures_of_any_size_become_640_wide_with_even_height():
    spec = plan(0)
    facts = episode(spec)[0].facts
    for shape in ((1080, 1920, 3), (101, 173, 3), (224, 224, 3)):
        frame = Frame(spec).running(np.zeros(shape, np.uint8), facts)
        assert frame.shape[1] == 640 and frame.shape[0] % 2 == 0


def test_an_instruction_of_any_length_and_script_can_be_drawn():
    spec = plan(0).model_copy(update={"instruction": "Touch the piñata “free of charge” 無料 button " * 9})
    image = np.zeros((480, 640, 3), np.uint8)
    header = Frame(spec).running(image, episode(plan(0))[0].facts)[:HEADER]
    assert header.shape == (HEADER, 640, 3)
