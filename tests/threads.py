"""The threads of this process, for tests that hold that none is left."""

import threading


def alive(name):
    """Those of this name: what other tests left behind comes and goes by itself."""
    return {thread for thread in threading.enumerate() if name == thread.name}
