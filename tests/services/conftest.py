from tests.services.making import make

__all__ = ["make"]
