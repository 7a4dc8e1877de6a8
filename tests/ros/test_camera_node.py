"""`camera_node` on an emulated RealSense: what is written into shared memory comes out of the topics."""

from __future__ import annotations

import time

import numpy as np
import pytest
from robot_bridge import topics
from robot_bridge.observations import image_array
from robot_bridge.records import FrameNote, from_string
from robot_bridge.stamps import to_ns
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String

from tests.ros.graph import graph, interrupt, sentence_of, values
from tests.ros.scene import FPS, MODEL, scene


def test_raw_pictures_come_with_every_pixel_and_the_stamp_of_their_capture(tmp_path):
    with scene() as seen, graph(tmp_path) as g:
        node = g.start("robot_bridge.camera_node", device=f"frames:{seen.ring}", transport="raw", fps=FPS)
        images = g.listen(topics.image("scene"), Image)
        infos = g.listen(topics.camera_info("scene"), CameraInfo)
        notes = g.listen(topics.frame("scene"), String)
        status = g.diagnostics("camera_node")
        g.until(lambda: len(images) > 10 and len(notes) > 10 and status())
        read = {note.header_stamp_ns: note for note in (from_string(note, FrameNote) for note in notes)}
        for image in images[:10]:
            note = read[to_ns(image.header.stamp)]
            assert np.array_equal(image_array(image), seen.at(note.stamp_ns))
            assert not note.stale and note.image == topics.image("scene") and note.clock == "monotonic"
            # at scale 1 the graph's time is the system's
            assert abs(to_ns(image.header.stamp) - time.time_ns()) < 60e9
        assert np.allclose(np.reshape(infos[0].k, (3, 3)), MODEL.K)
        assert [note.number for note in read.values()] == sorted(note.number for note in read.values())
        assert values(status())["topic"] == topics.image("scene")
        assert interrupt(node) == 0


def test_jpeg_pictures_look_like_the_raw_ones(tmp_path):
    with scene() as seen, graph(tmp_path) as g:
        g.start("robot_bridge.camera_node", device=f"frames:{seen.ring}", fps=FPS)
        images = g.listen(topics.compressed_image("scene"), CompressedImage)
        g.until(lambda: len(images) > 3)
        picture = image_array(images[-1])
        assert picture.shape == (MODEL.height, MODEL.width, 3) and "jpeg" in images[-1].format
        nearest = min(np.abs(picture.astype(int) - each).mean() for each in list(seen.pictures.values()))
        assert nearest < 10.0  # of 255; any other picture is farther than 60


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"frozen": True}, "repeated its picture"),
        ({"black": True}, "shown nothing"),
        ({"unplugged": True}, "camera"),
    ],
    ids=["frozen", "black", "unplugged"],
)
def test_a_camera_that_sees_nothing_new_ends_the_node_in_one_sentence(tmp_path, fault, words):
    with scene() as seen, graph(tmp_path) as g:
        node = g.start("robot_bridge.camera_node", device=f"frames:{seen.ring}", transport="raw", fps=FPS)
        notes = g.listen(topics.frame("scene"), String)
        g.until(lambda: notes and not from_string(notes[-1], FrameNote).stale)
        seen.writer.fault(**fault)
        assert words in sentence_of(node).lower()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"device": "polaroid"}, ["polaroid", "realsense"]),
        ({"device": "realsense:1234"}, ["1234"]),
        ({"device": "file:/not/there.bag"}, ["/not/there.bag"]),
        ({"transport": "pigeon"}, ["transport", "pigeon"]),
        ({"quality": "0"}, ["quality"]),
        ({"name": "wrist"}, ["wrist", "scene"]),
    ],
)
def test_what_cannot_work_is_one_sentence(tmp_path, parameters, words):
    with graph(tmp_path) as g:
        sentence = sentence_of(g.start("robot_bridge.camera_node", **parameters))
    assert all(word in sentence for word in words), sentence
