"""A Primero that really answers: its behaviour as recorded from a live 2.14.5.1, without sockets."""

from adaptors.sandbox.primero.server import Primero

__all__ = ["Primero"]
