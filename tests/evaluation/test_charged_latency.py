"""Episodes in which thinking costs the world's time, in a world without physics: every tick can be told beforehand."""

import pytest

from tests.evaluation.kinematic import STEPS, Endless, GoesDown, KinematicWorld, Ticks, spec
from touchstone.errors import ContractMismatch, UsageError
from touchstone.evaluation.episode import run_episode
from touchstone.evaluation.execution import LOCKSTEP, Execution
from touchstone.evaluation.thinking import Thinking


def run(policy: GoesDown, strategy: str = "receding", charge: str | None = None) -> Ticks:
    recorder = Ticks()
    run_episode(KinematicWorld(), policy, Endless(), spec(), recorder, Execution.parse(strategy, charge))
    return recorder


def test_nothing_charged_is_lockstep():
    policy = GoesDown(4, 2)
    free, zero = run(policy), run(policy, charge="0")
    assert free.moved() == "d" * STEPS and policy.asked == list(range(0, STEPS, 2))
    assert free.facts == zero.facts and free.events == zero.events
    assert all("policy_charged" not in stages for stages in free.stages)


def test_an_answer_takes_effect_at_the_first_tick_after_its_latency_and_loses_what_is_over():
    policy = GoesDown(4, 4)
    ticks = run(policy, charge="300")
    # asked at 0, there at 2 (400 ms): elements 2 and 3; asked at 4, there at 6, ...
    assert ticks.moved() == "--dd" * 3 and policy.asked == [0, 4, 8]
    assert [step for step, kinds in enumerate(ticks.events) if "answer_late" in kinds] == [3, 7, 11]
    assert [kinds for kinds in ticks.events[1:3]] == [["hold"], ["hold"]]


def test_a_latency_of_whole_ticks_is_not_rounded_up_again():
    assert run(GoesDown(4, 4), charge="400").moved() == "--dd" * 3
    assert run(GoesDown(4, 4), charge="401").moved() == "---d" * 3


def test_while_it_thinks_the_rest_of_the_old_chunk_is_carried_out_and_then_the_embodiment_holds():
    policy = GoesDown(4, 2)
    # from the second answer on: asked 2 ticks after it came, 3 elements are left and 4 ticks are needed
    ticks = run(policy, charge="600")
    assert ticks.moved() == "---d---d---d" and policy.asked == [0, 4, 8]
    assert run(GoesDown(8, 2), charge="600").moved() == "---" + "d" * 9


def test_patience_lets_a_chunk_begin_where_the_arm_stood_still():
    assert run(GoesDown(4, 4), "sync:patience=1000", "400").moved() == "--dddd--dddd"
    assert run(GoesDown(4, 4), "sync:patience=399", "400").moved() == "--dd" * 3


def test_prefetching_hides_a_latency_that_is_shorter_than_what_is_left():
    policy = GoesDown(6, 6)
    assert run(policy, "async:g=0.5", "400").moved() == "--" + "d" * 10
    assert policy.asked == [0, 3, 6, 9]


def test_rtc_tells_the_policy_what_runs_and_freezes_the_ticks_that_it_takes():
    policy = GoesDown(6, 3, inpaints=True)
    assert run(policy, "rtc", "400").moved() == "--" + "d" * 10
    assert policy.priors[0] is None
    assert [prior.frozen for prior in policy.priors[1:]] == [2] * (len(policy.priors) - 1)
    assert [len(prior.actions) for prior in policy.priors[1:]] == [3] * (len(policy.priors) - 1)


def test_what_was_charged_is_in_the_stages_of_the_tick_that_asked():
    policy = GoesDown(4, 2)
    ticks = run(policy, charge="250")
    charged = {step: stages["policy_charged"] for step, stages in enumerate(ticks.stages) if "policy_charged" in stages}
    assert charged == dict.fromkeys(policy.asked, 250.0)
    assert [step for step, chunk in enumerate(ticks.chunks) if chunk is not None] == policy.asked


@pytest.mark.parametrize(("charge", "effective"), [("real", 3), ("50", 1), (None, 0)])
def test_real_charges_what_was_measured_and_a_number_what_it_says(charge, effective):
    world, one, policy = KinematicWorld(), spec(), GoesDown(8, 8)
    world.reset(one)
    commanded = []
    world.command = lambda chunk: commanded.append(world.observe().step)
    measured_ms = 450.0
    thinking = Thinking(
        Execution.parse("receding", charge),
        policy.contract,
        one.dt_ns,
        world,
        lambda observation, ask: (policy.infer(observation), measured_ms),
    )
    for _ in range(5):
        observation = world.observe()
        thinking.tick(observation)
        world.advance(observation.stamp_ns + one.dt_ns)
    assert commanded == [effective] and policy.asked == [0]


def test_the_same_number_gives_the_same_episode():
    first, second = (run(GoesDown(4, 3), "ensemble", "350") for _ in range(2))
    assert first.facts == second.facts and first.events == second.events


def test_what_is_charged_makes_another_session_and_lockstep_does_not():
    assert LOCKSTEP.identity() == {} and LOCKSTEP.is_lockstep and LOCKSTEP.time_scale == "lockstep"
    assert Execution.parse("receding", None) == LOCKSTEP
    assert Execution.parse("async", "300.0").identity() == {"strategy": "async:g=0.5,new=0.7", "charge_latency": "300"}
    assert Execution.parse("receding", "0").identity() == {"charge_latency": "0"}
    real = Execution.parse("receding", "real")
    assert real.identity() == {"charge_latency": "real"} and "not reproducible" in real.time_scale


@pytest.mark.parametrize("charge", ["-1", "nan", "soon", "60001", ""])
def test_a_charge_that_is_none_is_refused(charge):
    with pytest.raises(UsageError, match="--charge-latency is"):
        Execution.parse("receding", charge)


def test_worlds_that_run_by_themselves_and_policies_that_do_not_fit_are_refused():
    dt_ns = spec().dt_ns
    offer = KinematicWorld().describe()
    for asked in (Execution.parse("async", None), Execution.parse("receding", "100")):
        with pytest.raises(UsageError, match="--world twin"):
            asked.check_fit(GoesDown(4, 2).contract, offer.model_copy(update={"path": "ros"}), dt_ns)
        asked.check_fit(GoesDown(4, 2).contract, offer, dt_ns)
    LOCKSTEP.check_fit(GoesDown(4, 2).contract, offer.model_copy(update={"path": "ros"}), dt_ns)
    with pytest.raises(ContractMismatch, match="inpaints"):
        Execution.parse("rtc", None).check_fit(GoesDown(4, 2).contract, offer, dt_ns)
