"""Pretrained vision-language-action models as policies, each in a file that also serves it as a script."""
