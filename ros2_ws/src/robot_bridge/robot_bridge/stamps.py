"""Nanoseconds and ROS time."""

from __future__ import annotations

from builtin_interfaces.msg import Duration, Time


def to_time(ns: int) -> Time:
    return Time(sec=ns // 1_000_000_000, nanosec=ns % 1_000_000_000)


def to_duration(ns: int) -> Duration:
    return Duration(sec=ns // 1_000_000_000, nanosec=ns % 1_000_000_000)


def to_ns(stamp: Time | Duration) -> int:
    return stamp.sec * 1_000_000_000 + stamp.nanosec
