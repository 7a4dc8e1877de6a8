"""What stops a set-up."""


class SetupProblem(Exception):
    """One sentence for the user; `paste` is the line that mends it, where there is one."""

    def __init__(self, sentence: str, paste: str = "") -> None:
        super().__init__(sentence)
        self.paste = paste
