"""How far teaching has come, in a file that holds numbers only."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOMENTS = ("exp_avg", "exp_avg_sq")
_DONE = "done"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`file` has the parameters that learn and the optimiser's moments after so many steps."""

    file: Path

    def save(self, done: int, parameters: Mapping[str, Any], optimiser: Any) -> None:
        """Replaces the one before in one go."""
        import torch
        from safetensors.torch import save_file

        tensors = {_DONE: torch.tensor(done)}
        for name, weights in parameters.items():
            tensors[name] = weights.detach()
            moments = optimiser.state[weights]
            tensors |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_name(f".{self.file.name}.draft")
        save_file(tensors, draft)
        draft.replace(self.file)

    def load(self, parameters: Mapping[str, Any], optimiser: Any) -> int:
        """How many steps are done; 0, and nothing is changed, where there is no such file."""
        import torch
        from safetensors.torch import load_file

        if not self.file.exists():
            return 0
        tensors = load_file(self.file)
        done = int(tensors[_DONE])
        state = {}
        for index, (name, weights) in enumerate(parameters.items()):
            with torch.no_grad():
                weights.copy_(tensors[name])
            moments = {moment: tensors[f"{moment}/{name}"] for moment in _MOMENTS}
            state[index] = {"step": torch.tensor(float(done)), **moments}
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        return done

    def drop(self) -> None:
        """It is no longer needed."""
        self.file.unlink(missing_ok=True)
