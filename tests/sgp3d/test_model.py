"""The network, against counts worked out by hand."""

import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

import glioma_idh.quiet_keras  # noqa: F401  loads TensorFlow quietly
from glioma_idh.errors import InputError
from glioma_idh.sgp3d import SGPNet, backbone_of
from glioma_idh.sgp3d.model import KERAS_LAYERS, copy_weights
from glioma_idh.sgp3d.training_layers import training_factory

SHAPE = (32, 16, 48, 4)


@pytest.fixture(scope="module")
def network():
    """The network as published, on a small input; nobody changes it."""
    return SGPNet(SHAPE)


def conv(inputs, outputs, size):
    return size**3 * inputs * outputs + outputs


def norm(channels):
    return 2 * channels


def level(inputs, f):
    return conv(inputs, f, 3) + 2 * conv(f, f, 3) + 3 * norm(f)


def expansive(f):
    first = conv(2 * f, 2 * f, 3) + norm(2 * f)
    return first + conv(2 * f, f, 1) + norm(f) + conv(f, f // 2, 3) + norm(f // 2)


def test_parameters_counted_by_hand():
    top = conv(4, 8, 3) + 2 * conv(8, 8, 3) + norm(8)  # LR alone but for the end
    contracting = top + level(8, 16) + level(16, 32) + level(32, 64) + level(64, 128)
    assert contracting == 4_360 + 17_424 + 69_408 + 277_056 + 1_107_072
    bottom = conv(128, 64, 3) + norm(64) + conv(64, 64, 1) + norm(64)
    path = expansive(64) + expansive(32) + expansive(16) + conv(16, 16, 3) + norm(16)
    assert (bottom, path) == (225_664, 506_528 + 126_800 + 31_784 + 6_960)
    segmentation = conv(64, 2, 1) + conv(32, 2, 1) + conv(16, 2, 1)
    idh = conv(64, 32, 3) + conv(32, 16, 3) + conv(16, 8, 3) + conv(16, 8, 1) + 64 + 1
    assert (segmentation, idh) == (230, 72_833)
    assert SGPNet().count_params() == contracting + bottom + path + segmentation + idh == 2_446_119


def test_every_layer_bears_the_name_of_its_block(network):
    names = [layer.name for layer in network.layers[1:]]
    assert {name.split("_")[0] for name in names} == {"backbone", "segmentation", "idh"}


def test_outputs_are_probabilities_of_each_voxel_and_each_subject(network):
    scans = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    outputs = network(scans)
    assert outputs["segmentation"].shape == (2, 32, 16, 48, 2) and outputs["idh"].shape == (2, 1)
    assert np.asarray(outputs["segmentation"]).sum(axis=-1) == pytest.approx(1, abs=1e-6)
    assert (np.asarray(outputs["idh"]) > 0).all() and (np.asarray(outputs["idh"]) < 1).all()


def test_taps_lie_at_a_quarter_half_and_full_resolution():
    taps = SGPNet(blocks=()).output
    assert {name: tap.shape for name, tap in taps.items()} == {
        "quarter": (None, 36, 36, 36, 64),
        "half": (None, 72, 72, 72, 32),
        "full": (None, 144, 144, 144, 16),
    }


def test_each_figure_s_level_adds_its_first_convolution_to_its_last(network):
    for number, channels in enumerate((8, 16, 32, 64, 128), start=1):
        added = network.get_layer(f"backbone_down{number}_add")
        sources = [tensor._keras_history.operation.name for tensor in added.input]
        assert sources == [f"backbone_down{number}_first_conv", f"backbone_down{number}_third_conv"]
        side = 2 ** (number - 1)
        assert added.output.shape == (None, 32 // side, 16 // side, 48 // side, channels)


def test_normalisation_is_that_of_one_subject_and_one_channel(network):
    x = np.random.default_rng(0).normal(3, 2, size=(2, 4, 4, 4, 8)).astype(np.float32)
    y = np.asarray(network.get_layer("backbone_down1_third_norm")(x))
    assert y.mean(axis=(1, 2, 3)) == pytest.approx(0, abs=1e-5)
    assert y.std(axis=(1, 2, 3)) == pytest.approx(1, abs=1e-3)
    relu = network.get_layer("backbone_full")
    assert np.asarray(relu(np.array([[-10.0, 5.0]]))) == pytest.approx(np.array([[-1.0, 5.0]]))


def test_what_the_paper_leaves_open_is_as_the_readme_says(network):
    """Epsilon of every normalisation, also of the layers to train with; two channels in a softmax; one sigmoid."""
    norms = [layer for layer in network.layers if layer.name.endswith("_norm")]
    assert len(norms) > 20 and {layer.epsilon for layer in [*norms, training_factory().normalise("norm")]} == {1e-3}
    softmax, idh = network.get_layer("segmentation"), network.get_layer("idh")
    assert isinstance(softmax, keras.layers.Softmax) and softmax.axis == -1 and softmax.input.shape[-1] == 2
    assert idh.activation is keras.activations.sigmoid and idh.units == 1


def test_whole_channels_are_dropped_in_every_level(network):
    for number in range(1, 6):
        layer = network.get_layer(f"backbone_down{number}_dropout")
        assert isinstance(layer, keras.layers.SpatialDropout3D) and layer.rate == 0.3
    dropped = np.asarray(layer(np.ones((8, 2, 2, 2, 128), np.float32), training=True)).reshape(8, 8, 128)
    assert set(np.unique(dropped.round(4))) == {0, np.float32(1 / 0.7).round(4)}
    assert (dropped == dropped[:, :1]).all()
    pooled = network.get_layer("idh_dropout")
    assert isinstance(pooled, keras.layers.Dropout) and pooled.rate == 0.3


def test_layers_stand_in_the_order_of_figure_2(network):
    """What each layer of a level reads, and what each output block does."""

    def sources(name):
        inputs = network.get_layer(name).input
        return [t._keras_history.operation.name for t in (inputs if isinstance(inputs, list) else [inputs])]

    assert sources("backbone_down1_first_relu") == ["backbone_down1_first_conv"]  # no IN at the top
    assert sources("backbone_down2_first_relu") == ["backbone_down2_first_norm"]
    assert sources("backbone_down2_dropout") == ["backbone_down2_second_conv"]
    assert sources("backbone_down2_second_norm") == ["backbone_down2_dropout"]
    assert sources("backbone_down2_third_norm") == ["backbone_down2_add"]
    assert sources("backbone_bottom1_up") == ["backbone_down5_third_relu"]
    assert sources("backbone_up4_concat") == ["backbone_bottom2_relu", "backbone_down4_third_relu"]
    assert sources("backbone_up1_concat") == ["backbone_up2_third_relu", "backbone_down1_third_relu"]
    assert sources("segmentation_half_add") == ["segmentation_half_up", "segmentation_half_conv"]
    assert sources("segmentation_half_conv") == ["backbone_half"]
    assert sources("segmentation") == ["segmentation_full_add"]
    pools = [f"idh_{tap}_pool" for tap in ("quarter", "half", "full", "pointwise")]
    assert sources("idh_concat") == pools and sources("idh_pointwise_conv") == ["backbone_full"]
    assert sources("idh_quarter_conv") == ["backbone_quarter"] and sources("idh") == ["idh_dropout"]


@pytest.mark.integration
def test_the_backbone_alone_and_one_block_alone(network):
    scans = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    bare, genotype = SGPNet(SHAPE, blocks=()), SGPNet(SHAPE, blocks=("idh",))
    copy_weights(network, bare)
    copy_weights(network, genotype)
    assert list(genotype.output) == ["idh"] and bare.count_params() == 2_373_056
    assert np.array_equal(genotype(scans)["idh"], network(scans)["idh"])
    for name, tap in backbone_of(network)(scans).items():
        assert np.array_equal(tap, bare(scans)[name])


@pytest.mark.parametrize("sides", [(40, 32, 32), (0, 16, 16), (32, 32)])
def test_sides_that_cannot_be_halved_four_times_are_errors(sides):
    with pytest.raises(InputError, match=r"divisible by 16 for --shape; found .* Use \(\d+, \d+, \d+\), for"):
        SGPNet((*sides, 4))


def test_unknown_blocks_are_errors():
    with pytest.raises(InputError, match="found \\('grade',\\)"):
        SGPNet(SHAPE, blocks=("grade",))


@pytest.mark.parametrize("factory", [KERAS_LAYERS, training_factory()], ids=["keras", "training"])
def test_mixed_precision_leaves_idh_and_probabilities_in_float32_and_the_policy_as_it_was(factory):
    network = SGPNet((16, 16, 16, 4), filters=2, dtype="mixed_bfloat16", factory=factory)
    assert {layer.compute_dtype for layer in network.layers if layer.name.startswith("idh")} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    assert network.get_layer("backbone_full").compute_dtype == "bfloat16"
    assert {name: output.dtype for name, output in network.output.items()} == {
        "segmentation": "float32",
        "idh": "float32",
    }


def test_a_saved_network_is_made_of_keras_own_layers(tmp_path):
    SGPNet((16, 16, 16, 4), filters=2).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config = json.loads(file.read("config.json"))
    layers = config["config"]["layers"]
    assert {layer["module"] for layer in layers} == {"keras.layers"} and len(layers) > 100
    assert "Lambda" not in {layer["class_name"] for layer in layers} and "glioma_idh" not in json.dumps(config)


@pytest.mark.slow
def test_saved_network_needs_neither_this_package_nor_unsafe_mode(network, tmp_path):
    scans = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    np.save(tmp_path / "scans.npy", scans)
    network.save(tmp_path / "model.keras")
    program = (
        "import sys; sys.modules['glioma_idh'] = None\n"
        "import keras, numpy as np\n"
        "network = keras.models.load_model('model.keras', safe_mode=True)\n"
        "np.savez('outputs.npz', **network.predict_on_batch(np.load('scans.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
    expected = network.predict_on_batch(scans)
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert all(outputs[name] == pytest.approx(expected[name], abs=1e-6) for name in expected)
