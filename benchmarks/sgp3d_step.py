"""Time a training step of SGPNet, its convolutions alone, and the same step in PyTorch.

    pip install ".[bench]" && python benchmarks/sgp3d_step.py --shape 64 --batch-size 2 --dtype float32

The implementations take turns in one process, so that a slower machine affects all of them; medians are reported. With
--only NAME, one implementation has the process for itself, and the peak memory is its own. "Its convolutions alone" are
those of Figure 2 of the paper, one after the other, each forward and backward to the kernel and (except for the first)
to the input, without other layers.
"""

import argparse
import resource
import time

import numpy as np

from glioma_idh.training import device  # imported first: it loads TensorFlow without log lines

import keras  # isort: skip
import torch
from torch import nn

from glioma_idh.sgp3d.losses import JointNetwork
from glioma_idh.sgp3d.model import KERAS_LAYERS, SGPNet
from glioma_idh.sgp3d.optimizers import compile_network
from glioma_idh.sgp3d.training_layers import training_factory

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def make_batch(side: int, batch_size: int):
    """Return noise with the shape of the input; the speed does not depend on the content."""
    rng = np.random.default_rng(0)
    scans = rng.normal(size=(batch_size, side, side, side, 4)).astype(np.float32)
    masks = (rng.random(scans.shape[:-1]) < 0.3).astype(np.uint8)
    return scans, masks, (np.arange(batch_size) % 2).astype(np.float32)


def keras_step(factory, side: int, batch_size: int, dtype: str):
    """Return a step as in training."""
    joint = JointNetwork(SGPNet((side, side, side, 4), dtype=POLICIES[dtype], factory=factory), batch_size=batch_size)
    compile_network(joint, total_steps=10_000)
    scans, masks, idh = make_batch(side, batch_size)
    return lambda: joint.train_on_batch(scans, {"segmentation": masks, "idh": idh})


def convolutions_alone(side: int, batch_size: int, dtype: str):
    """Return all convolutions of the network as in the paper's figure, forward and backward."""
    import tensorflow as tf

    def both_ways(layer):
        x = tf.cast(tf.random.normal((batch_size, *layer.input.shape[1:])), dtype)
        kernel = tf.cast(layer.kernel, dtype)
        wanted = [kernel] if layer.input.shape[-1] == 4 else [x, kernel]

        @tf.function(jit_compile=False, autograph=False)
        def run():
            with tf.GradientTape() as tape:
                tape.watch(wanted)
                y = tf.nn.conv3d(x, kernel, (1, *layer.strides, 1), "SAME")
            return tape.gradient(y, wanted, output_gradients=y)

        return run

    layers = SGPNet((side, side, side, 4)).layers
    runs = [both_ways(layer) for layer in layers if isinstance(layer, keras.layers.Conv3D)]
    return lambda: [run() for run in runs]


class TorchSGPNet(nn.Module):
    """Figure 2 of the paper in PyTorch, layer by layer as in `glioma_idh.sgp3d.model`."""

    def __init__(self, f: int = 8, dropout: float = 0.3):
        super().__init__()
        widths = [f * 2**level for level in range(5)]
        self.down = nn.ModuleList(
            TorchLevel(4 if level == 0 else widths[level - 1], widths[level], level == 0, dropout) for level in range(5)
        )
        up = nn.Upsample(scale_factor=2)
        self.bottom = nn.Sequential(up, *conv_in_lr(16 * f, 8 * f, 3), *conv_in_lr(8 * f, 8 * f, 1))
        self.first = nn.ModuleList(nn.Sequential(*conv_in_lr(2 * w, 2 * w, 3)) for w in (8 * f, 4 * f, 2 * f, f))
        self.rest = nn.ModuleList(
            nn.Sequential(*conv_in_lr(2 * w, w, 1), up, *conv_in_lr(w, w // 2, 3)) for w in (8 * f, 4 * f, 2 * f)
        )
        self.up, taps = up, (8 * f, 4 * f, 2 * f)
        self.segmentation = nn.ModuleList(nn.Conv3d(w, 2, 1) for w in taps)
        self.idh = nn.ModuleList([*(nn.Conv3d(w, w // 2, 3, padding=1) for w in taps), nn.Conv3d(2 * f, f, 1)])
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(8 * f, 1))

    def forward(self, x):
        """Return the logits of the lesion, shape (n, 2, i, j, k), and of the mutation, shape (n,)."""
        skips, taps = [], []
        for level in self.down:
            x = level(x)
            skips.append(x)
        x = self.bottom(skips.pop())
        for number, first in enumerate(self.first):
            x = first(torch.cat([x, skips.pop()], dim=1))
            taps.append(x)
            x = self.rest[number](x) if number < 3 else x
        taps = taps[1:]
        lesion = self.segmentation[0](taps[0])
        for convolution, tap in zip(self.segmentation[1:], taps[1:], strict=True):
            lesion = self.up(lesion) + convolution(tap)
        pooled = [c(tap).mean(dim=(2, 3, 4)) for c, tap in zip(self.idh, [*taps, taps[-1]], strict=True)]
        return lesion, self.head(torch.cat(pooled, dim=1))[:, 0]


class TorchLevel(nn.Module):
    """A level of the contracting path."""

    def __init__(self, inputs: int, f: int, top: bool, dropout: float):
        super().__init__()
        lr = nn.LeakyReLU(0.1)
        self.first = nn.Conv3d(inputs, f, 3, stride=1 if top else 2, padding=1)
        self.rest = nn.Sequential(
            lr if top else in_lr(f),
            nn.Conv3d(f, f, 3, padding=1),
            nn.Dropout3d(dropout),
            lr if top else in_lr(f),
            nn.Conv3d(f, f, 3, padding=1),
        )
        self.last = in_lr(f)

    def forward(self, x):
        """Add the output of the first convolution to that of the last one."""
        first = self.first(x)
        return self.last(first + self.rest(first))


def in_lr(f: int) -> nn.Sequential:
    """Return instance normalisation and leaky ReLU (IN + LR)."""
    return nn.Sequential(nn.InstanceNorm3d(f, eps=1e-3, affine=True), nn.LeakyReLU(0.1))


def conv_in_lr(inputs: int, f: int, size: int) -> list[nn.Module]:
    """Return a convolution, instance normalisation and leaky ReLU."""
    return [nn.Conv3d(inputs, f, size, padding=size // 2), in_lr(f)]


def torch_step(compiled: bool, side: int, batch_size: int, dtype: str):
    """Return the same step in PyTorch, in its faster memory format."""
    network = TorchSGPNet().to(memory_format=torch.channels_last_3d)
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_446_119
    idh = [parameter for name, parameter in network.named_parameters() if name.startswith(("idh", "head"))]
    rest = [parameter for name, parameter in network.named_parameters() if not name.startswith(("idh", "head"))]
    optimizer = torch.optim.Adam([{"params": rest, "lr": 1e-4}, {"params": idh, "lr": 5e-5}])
    scans, masks, labels = (torch.from_numpy(array) for array in make_batch(side, batch_size))
    scans = scans.permute(0, 4, 1, 2, 3)  # of channels-last memory: nothing moves
    forward = torch.compile(network, dynamic=False) if compiled else network

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            lesion, logit = forward(scans)
        probability = lesion.float().softmax(dim=1)[:, 1]
        common = (probability * masks).sum(dim=(1, 2, 3))
        dice = 1 - (2 * common + 1) / (probability.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3)) + 1)
        dice = dice.mean()
        entropy = nn.functional.binary_cross_entropy_with_logits(logit.float(), labels)
        (entropy + dice / (entropy + dice) * dice).backward()
        optimizer.step()

    return step


IMPLEMENTATIONS = {
    "step": lambda *size: keras_step(training_factory(), *size),
    "step, Keras' own layers": lambda *size: keras_step(KERAS_LAYERS, *size),
    "its convolutions alone": convolutions_alone,
    "PyTorch, eager": lambda *size: torch_step(False, *size),
    "PyTorch, torch.compile": lambda *size: torch_step(True, *size),
}


def parse():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, default=64, help="voxels per axis")
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--dtype", choices=POLICIES, default="float32")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--only", choices=IMPLEMENTATIONS, nargs="+", default=list(IMPLEMENTATIONS), metavar="NAME")
    return parser.parse_args()


def main() -> None:
    """Run all implementations in turns, and print the medians."""
    wanted = parse()
    print(device.device_line(device.find_gpus(), 1).split(";")[0])
    runs = {name: IMPLEMENTATIONS[name](wanted.shape, wanted.batch_size, wanted.dtype) for name in wanted.only}
    seconds = {name: [] for name in runs}
    for _ in range(wanted.turns + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    first = np.array(seconds[next(iter(runs))][1:])
    print(f"{wanted.shape}^3, batch of {wanted.batch_size}, {wanted.dtype}, median of {wanted.turns} turns")
    print(f"{'':28} {'first, s':>9} {'then, s':>9}  {next(iter(runs))} / this")
    for name, (traced, *values) in seconds.items():
        print(f"{name:28} {traced:9.2f} {np.median(values):9.3f}  {np.median(first / values):.2f}")
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
