"""Run by the environment's own interpreter inside the sandbox: standard library only, Python 3.9 on."""
