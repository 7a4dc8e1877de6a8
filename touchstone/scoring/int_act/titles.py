"""The suite's names in words for people."""

from __future__ import annotations

TITLES = {
    "original": "original",
    "ood_source": "OOD source",
    "ood_target": "OOD target",
    "ood_source_and_target": "OOD source + target",
    "ood_relation": "OOD relation",
    "language_action": "language: action",
    "language_negation": "language: negation",
    "language_appearance": "language: appearance",
    "visual_distraction": "distraction",
    "commonsense": "commonsense",
    "commonsense_and_distraction": "commonsense + distraction",
    "object_diversity": "object diversity",
    "language_complexity": "language complexity",
    "vision_language_thinking": "vision-language thinking",
    "all": "all tasks",
    "intention": "intention",
    "grasp": "grasp",
    "moved_correct": "moved correct",
    "wrong_object": "wrong object",
    "success": "success",
    "strict": "strict",
    "paper_only": "placed, by INT-ACT's rule alone",
    "grasped": "grasped, not placed",
    "reached": "reached, not grasped",
    "never": "never reached",
}
#: what each value says of an episode, for the report
MEANINGS = {
    "intention": "at any tick a finger touched the source, or the gripper came within 5 cm of it",
    "grasp": "at any tick both fingers held it",
    "moved_correct": "at the last tick it had moved by more than 3 cm, further than all else",
    "wrong_object": "at the last tick another object had moved by more than 3 cm, and one further than the source",
    "success": "INT-ACT's own rule at the last tick",
    "strict": "the same, and released, at rest, touching the target and nothing else, its middle over it",
}


def title(name: str) -> str:
    """A column, family or value for people; other names, such as task ids, as they are."""
    return TITLES.get(name, name)


def short(task: str) -> str:
    """A task's id without the arm's name."""
    return task.removeprefix("widowx_")
