"""A plugin in a package of its own, installed from its wheel, is found and imported when it is asked for."""

import base64
import hashlib
import subprocess
import sys
import zipfile
from textwrap import dedent

import pytest

MODULE = '''
"""A data source of its own."""

import numpy as np

from trainsmith.training import ArrayDataProvider


def ramp(*, config, ctx):
    """Makes a provider of a ramp."""
    rows = np.arange(config["rows"], dtype=str(ctx.value("dtype")))
    return ArrayDataProvider(rows[:, np.newaxis], 2 * rows)
'''

USE = """
import sys
from trainsmith.testing import check_data_provider
from trainsmith.training import BatchConfig, Float32Registry, Float64Registry

assert "ramp" in Float32Registry.list_data_providers()
assert Float32Registry.summary()["dataProviders"] == len(Float32Registry.list_data_providers())
assert "ramp_source" not in sys.modules, "a plugin is imported when it is asked for"
provider = Float32Registry.get_data_provider("ramp", {"rows": 6})
check_data_provider(provider)
assert "ramp_source" in sys.modules
(batch,) = Float64Registry.get_data_provider("ramp", {"rows": 4}).get_training_data(BatchConfig(shuffle=False))
print(batch.targets.tolist(), batch.targets.dtype)
"""


@pytest.fixture
def wheel(tmp_path):
    """Writes the wheel as a build backend would."""
    info = "ramp_source-1.0.dist-info"
    files = {
        "ramp_source.py": MODULE,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: ramp-source\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[trainsmith.data_providers]\nramp = ramp_source:ramp\n",
    }
    digests = {name: hashlib.sha256(text.encode()).digest() for name, text in files.items()}
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{len(files[name].encode())}\n"
        for name, digest in digests.items()
    )
    path = tmp_path / "ramp_source-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


def run(*words, **options):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=110, check=False, **options)


def test_an_installed_plugin_is_found(wheel, tmp_path):
    place = tmp_path / "site"
    done = run("-m", "pip", "install", "--no-index", "--no-deps", "--quiet", "--target", str(place), str(wheel))
    assert done.returncode == 0, done.stderr
    script = tmp_path / "use.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(place)!r})\n" + dedent(USE))
    used = run(str(script))
    assert used.returncode == 0, used.stderr
    assert used.stdout.strip() == "[0.0, 2.0, 4.0, 6.0] float64"
    absent = run("-c", "from trainsmith.training import Float32Registry; Float32Registry.get_data_provider('ramp')")
    assert "data provider 'ramp' not registered" in absent.stderr
