"""The field's other ways to ask a policy server: openpi's websocket, GR00T's ZMQ, vla-eval. `docs/dialects.md`."""
