"""Modules of ../synthesis, whose file names are also ours."""
import importlib.util
from pathlib import Path


def synthesis(name):
    spec = importlib.util.spec_from_file_location(f'synthesis_{name}', Path(__file__).resolve().parent.parent / 'synthesis' / f'{name}.py')
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
