"""GrinningFace's emoji tasks (arXiv 2511.06619)."""
