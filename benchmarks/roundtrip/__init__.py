"""Parts of `benchmarks/policy_roundtrip.py`.

`*_client.py` and `*_server.py` are programs. Those of openpi and vla-eval, with `payload.py` and `lines.py`, run in
.venv-peers and import nothing of Touchstone.
"""
