import pytest

from touchstone import calibration
from touchstone.errors import UsageError


def test_a_calibration_survives_its_file(tmp_path):
    nominal = calibration.nominal("wx250s")
    calibration.save(nominal, tmp_path / "calibration.yaml")
    assert calibration.load(tmp_path / "calibration.yaml") == nominal


def test_the_digest_follows_the_content():
    nominal = calibration.nominal("wx250s")
    assert calibration.digest(nominal) == calibration.digest(calibration.nominal("wx250s"))
    assert calibration.digest(nominal) != calibration.digest(nominal.model_copy(update={"command_latency_s": 0.1}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("robot: [", "not YAML"),
        ("robot: wx250s\ncameras: {scene: {width: 640}}\n", "cameras.scene.height"),
        ("[]", "not a calibration"),
    ],
)
def test_a_broken_calibration_is_named_in_one_sentence(tmp_path, text, says):
    path = tmp_path / "calibration.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        calibration.for_camera(str(path), "wx250s")


def test_a_calibration_of_another_robot_is_refused(tmp_path):
    path = tmp_path / "calibration.yaml"
    calibration.save(calibration.nominal("rm75"), path)
    with pytest.raises(UsageError, match="of a rm75, not of a wx250s"):
        calibration.for_camera(str(path), "wx250s")


def test_an_unknown_camera_lists_the_presets():
    with pytest.raises(UsageError, match="grinningface"):
        calibration.for_camera("webcam", "wx250s")
