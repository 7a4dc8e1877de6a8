"""The glue around each model: what it is given and what becomes of its answer. The models here are test doubles."""

from __future__ import annotations

import numpy as np
import pytest

from policy_server.vla import magma, octo, openvla, pictures, spatialvla
from policy_server.vla.adapter import VlaPolicy
from policy_server.vla.bridge import ACTION
from policy_server.vla.options import BridgeOptions
from tests.vla import doubles
from tests.vla.samples import brief, observation
from touchstone.errors import PolicyFailure, UsageError
from touchstone.policy import SharedPolicy
from touchstone.policy_checks import check_answer, check_observation

RAW = [0.01, -0.02, 0.03, 0.0, 0.0, 0.4, 0.9]


def openvla_policy(answer=RAW, **options):
    weights, processor = doubles.OpenVlaWeights(answer), doubles.OpenVlaProcessor()
    options = openvla.OpenVlaOptions(checkpoint="openvla/openvla-7b", **options)
    return VlaPolicy(openvla.OpenVla(weights, processor, options, "bfloat16")), weights, processor


def spatialvla_policy(chunks, **options):
    processor = doubles.SpatialVlaProcessor(chunks)
    options = spatialvla.SpatialVlaOptions(checkpoint="a/b", **options)
    return VlaPolicy(spatialvla.SpatialVla(doubles.SpatialVlaWeights(), processor, options)), processor


def octo_policy(chunks):
    weights = doubles.OctoWeights(chunks)
    return VlaPolicy(octo.Octo(weights, doubles.Randomness, BridgeOptions(checkpoint="a/b"))), weights


def test_openvla_is_asked_as_it_was_trained():
    policy, weights, processor = openvla_policy()
    policy.reset(brief())
    seen = observation()
    chunk = policy.infer(seen)
    prompt, picture = processor.calls[0]
    assert prompt == "In: What action should the robot take to touch cat.?\nOut:"
    assert np.array_equal(np.asarray(picture), pictures.area(seen.cameras["scene"].image, 224, 224))
    assert weights.calls[0][0] == "bridge_orig" and weights.calls[0][1]["do_sample"] is False
    assert chunk.kind == "align2" and chunk.answers == seen.id and chunk.dt == pytest.approx(0.2)
    assert np.allclose(chunk.actions, [RAW[:6]]) and chunk.gripper.tolist() == [1.0]
    check_answer(policy.contract, seen, chunk)


def test_what_the_bridge_models_declare():
    for policy in (openvla_policy()[0], spatialvla_policy([])[0], octo_policy([])[0]):
        contract = policy.contract
        assert (contract.rate_hz, contract.embodiments, contract.execute) == (5.0, ("wx250s",), 1)
        assert contract.normalisation_key and contract.cameras[0].resize == "stretch"
        assert isinstance(policy, SharedPolicy)
        check_observation(contract, observation())
    assert openvla_policy(action_kind="target_delta", rate_hz=10.0)[0].contract.action_kind == "target_delta"


def test_a_key_without_statistics_is_refused():
    with pytest.raises(UsageError, match=r"no statistics 'nothing'; set unnorm_key to one of: bridge_orig, other"):
        openvla_policy(unnorm_key="nothing")
    with pytest.raises(UsageError, match=r"one of: bridge_orig/1\.0\.0"):
        spatialvla_policy([], unnorm_key="nothing")


def test_an_inference_before_the_first_reset_is_refused():
    with pytest.raises(PolicyFailure, match="before its first reset"):
        openvla_policy()[0].infer(observation())


def test_spatialvla_averages_before_it_decides_on_the_gripper():
    chunks = np.zeros((2, 4, 7))
    chunks[0, 1, [0, 6]] = 0.03, 1.0  # the first query about the second tick
    chunks[1, 0, [0, 6]] = 0.01, 0.0  # the second query about it
    policy, processor = spatialvla_policy(chunks)
    policy.reset(brief())
    policy.infer(observation(1))
    chunk = policy.infer(observation(2))
    weight = np.exp(0.8)
    assert chunk.actions[0, 0] == pytest.approx((0.03 + weight * 0.01) / (1 + weight))
    assert chunk.gripper[0] == 0.0  # 1 / (1 + e^0.8) = 0.31
    images, text, key, options = processor.calls[1]
    assert (text, key, options["do_normalize"]) == ("Touch Cat.", "bridge_orig/1.0.0", False)
    assert np.array_equal(np.asarray(images[0]), pictures.area(observation(2).cameras["scene"].image, 224, 224))


def test_each_client_and_each_episode_has_its_own_predictions():
    chunks = np.zeros((4, 4, 7))
    chunks[:, :, 0] = np.arange(1, 5)[:, None]
    policy, _ = spatialvla_policy(chunks)
    one, other = policy.session(), policy.session()
    for session in (one, other):
        session.reset(brief())
    assert one.infer(observation()).actions[0, 0] == pytest.approx(1.0)
    assert other.infer(observation()).actions[0, 0] == pytest.approx(2.0)
    one.reset(brief())
    assert one.infer(observation()).actions[0, 0] == pytest.approx(3.0)
    assert other.infer(observation()).actions[0, 0] == pytest.approx((2 + 4 * np.exp(0.8)) / (1 + np.exp(0.8)))


def test_octo_sees_two_pictures_and_new_noise_at_each_tick():
    chunks = np.zeros((3, 4, 7))
    chunks[..., 6] = 1.0
    policy, weights = octo_policy(chunks)
    policy.reset(brief(seed=5))
    made = [policy.infer(observation(k)) for k in range(3)]
    assert weights.tasks == [["Touch Cat."]]
    assert [seen["image_primary"].shape for seen in weights.seen] == [(1, n, 256, 256, 3) for n in (1, 2, 2)]
    assert all(seen["timestep_pad_mask"].all() for seen in weights.seen)
    resized = [pictures.smooth_lanczos(observation(k).cameras["scene"].image, 256, 256) for k in (1, 2)]
    assert np.array_equal(weights.seen[2]["image_primary"][0], resized)
    assert len(set(weights.keys)) == 3 and weights.keys[0][0] == 5
    # zeros are the dataset's mean; the gripper is not scaled
    for chunk in made:
        assert np.allclose(chunk.actions[0, :3], ACTION.mean[:3], atol=1e-12) and chunk.gripper[0] == 1.0


def test_magmas_tokens_are_bins_from_the_end_of_the_vocabulary():
    vocabulary = 32000
    # the last token is the lowest bin; 255 bins of width 2/255 between 256 edges
    assert magma.decode([vocabulary - 1], vocabulary)[0] == pytest.approx(-1 + 1 / 255)
    assert magma.decode([vocabulary - 255], vocabulary)[0] == pytest.approx(1 - 1 / 255)
    assert magma.decode([vocabulary - 128], vocabulary)[0] == pytest.approx(0.0, abs=1e-12)
    assert magma.decode([vocabulary - 300, vocabulary + 9], vocabulary) == pytest.approx([1 - 1 / 255, -1 + 1 / 255])


def test_a_whole_answer_of_magma():
    torch = pytest.importorskip("torch")
    vocabulary, seen = 32000, observation()
    bins = [0, 254, 127, 127, 127, 127, 254]
    tokens = torch.tensor([[5, 6, 7, *(vocabulary - 1 - b for b in bins), 2]])
    policy, given = doubles.magma_policy(tokens, vocabulary)
    policy.reset(brief())
    chunk = policy.infer(seen)
    middle = (ACTION.p01 + ACTION.p99) / 2
    half = (ACTION.p99 - ACTION.p01) / 2
    expected = middle[:3] + half[:3] * [-1 + 1 / 255, 1 - 1 / 255, 0]
    assert np.allclose(chunk.actions[0, :3], expected, atol=1e-9) and chunk.gripper[0] == 1.0
    assert given["text"].endswith("<image_start><image><image_end>\nWhat action should the robot take to Touch Cat.?")
    assert np.array_equal(np.asarray(given["picture"]), pictures.bicubic(seen.cameras["scene"].image, 224, 224))
    assert given["generate"]["do_sample"] is False and given["generate"]["pixel_values"].shape == (1, 1, 3, 4, 4)


def test_a_nan_of_a_model_reaches_the_gate_as_one():
    policy, *_ = openvla_policy([np.nan, 0, 0, 0, np.nan, 0, np.nan])
    policy.reset(brief())
    chunk = policy.infer(observation())
    assert np.isnan(chunk.actions[0, 0]) and np.isnan(chunk.actions[0, 3:]).all() and np.isnan(chunk.gripper[0])
