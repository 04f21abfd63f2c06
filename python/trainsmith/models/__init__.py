"""Models for tables, by type and architecture."""

from trainsmith.models._create import complete_architecture, create_model
from trainsmith.models._mlp import MLPArchitecture, mlp

__all__ = ["MLPArchitecture", "complete_architecture", "create_model", "mlp"]
