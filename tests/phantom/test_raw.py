"""The raw patient of the phantom, asked for twice."""

import pytest

from glioma_idh.errors import InputError
from glioma_idh.phantom.raw import make_raw_patient


def test_another_number_of_echoes_needs_another_folder(tmp_path):
    for file in ("truth/phantom-001/placement.json", "phantom-001/dsc_e1.nii.gz", "phantom-001/dsc_e2.nii.gz"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert make_raw_patient(tmp_path, num_echoes=2) == tmp_path / "phantom-001"
    with pytest.raises(InputError, match=r"expected a DSC series with echo times \(0.03,\) s; found another"):
        make_raw_patient(tmp_path)
