"""Printed cards in the twin: a thin white body and a picture on top that is swapped live, without a new scene."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import sapien
import sapien.render

from sim_twin.props import Prop
from touchstone.bench import CARD_SIDE, CARD_THICKNESS
from touchstone.spec import Placement
from touchstone.tasks.emoji.cards import card_corners, card_picture

#: the picture floats this far over the card's body so that the two faces do not fight [m]
PICTURE_GAP = 0.0003
PICTURE_PIXELS = 512


class Card(Prop):
    """One card of the scene. Its pose is that of its top face's centre; +x is the glyph's top (robot +x)."""

    def __init__(self, scene: sapien.Scene, name: str) -> None:
        self._print = sapien.render.RenderMaterial(base_color=[1, 1, 1, 1], roughness=0.9, specular=0.1)
        # a material that was rendered once without a texture never shows one
        self._print.base_color_texture = _texture_of(np.full((PICTURE_PIXELS, PICTURE_PIXELS, 3), 255, np.uint8))
        half = [CARD_SIDE / 2, CARD_SIDE / 2, CARD_THICKNESS / 2]
        super().__init__(scene, name, half, origin_height=CARD_THICKNESS / 2)

    def _looks(self) -> sapien.render.RenderBodyComponent:
        body = sapien.render.RenderBodyComponent()
        paper = sapien.render.RenderMaterial(base_color=[0.93, 0.93, 0.93, 1], roughness=0.9)
        body.attach(sapien.render.RenderShapeBox([CARD_SIDE / 2, CARD_SIDE / 2, CARD_THICKNESS / 2], paper))
        body.attach(self._picture_quad())
        return body

    def _dress(self, placement: Placement) -> None:
        self._print.base_color_texture = _texture(placement.emoji)

    def _picture_quad(self) -> sapien.render.RenderShapeTriangleMesh:
        corners = np.full((4, 3), CARD_THICKNESS / 2 + PICTURE_GAP, dtype=np.float32)
        corners[:, :2] = card_corners((0, 0))
        # picture rows run downwards, texture v upwards
        uv = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], dtype=np.float32)
        triangles = np.array([(0, 2, 1), (0, 3, 2)], dtype=np.uint32)
        normals = np.tile(np.array([0, 0, 1], dtype=np.float32), (4, 1))
        return sapien.render.RenderShapeTriangleMesh(corners, triangles, normals, uv, self._print)


@lru_cache(maxsize=128)
def _texture(emoji: str) -> sapien.render.RenderTexture2D:
    """The texture of a card; kept, because upload is the slow part of a reset, but not for every emoji there is."""
    return _texture_of(card_picture(emoji, PICTURE_PIXELS))


def _texture_of(picture: np.ndarray) -> sapien.render.RenderTexture2D:
    rgba = np.dstack([picture[::-1], np.full(picture.shape[:2], 255, np.uint8)])
    return sapien.render.RenderTexture2D(np.ascontiguousarray(rgba), "R8G8B8A8Unorm", mipmap_levels=6, srgb=True)
