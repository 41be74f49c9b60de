"""Writes seeded int8 networks of the styles that bench/other_networks.py lacks: bench/more_networks.py FOLDER [SEED].

Inverted residuals with gates, depthwise filters over one axis, heads of attention in a stack, U-Nets that resize,
channels in groups that are shuffled, windows of 1 x n, large layers of several rows, LSTM cells written out, batches,
small images of many channels and large ones of three, dense and inception blocks, subpixels, pooling.
TFLite with signed codes and with unsigned ones (`_u8`, one scale for all weights), ONNX likewise.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from network_builders import Onnx, Tflite  # noqa: E402


def channels_of(b, x):
    return x[1][-1] if isinstance(b, Tflite) else x[1][1]


def gate(b, x):
    c = channels_of(b, x)
    y = b.conv(b.conv(b.mean(x), max(4, c // 4), 1), c, 1, relu=False)
    return b.mul(x, b.act(y, "sigmoid"))


def gated(b):
    x = b.act(b.conv(b.input([112, 112], 3), 13, 3, 2, relu=False), "swish")
    for channels, stride, kernel in ((17, 2, 3), (17, 1, 3), (27, 2, 5), (27, 1, 5), (45, 2, 5), (45, 1, 5)):
        c = channels_of(b, x)
        y = b.act(b.conv(x, 4 * c, 1, relu=False), "swish")
        y = b.act(b.conv(y, 4 * c, kernel, stride, group=4 * c, relu=False), "swish")
        y = b.conv(gate(b, y), channels, 1, relu=False)
        x = b.add(x, y) if stride == 1 else y
    return x


def separable(b):
    x = b.conv(b.input([97, 81], 3), 11, 3, 2)
    for channels, stride in ((21, 1), (37, 2), (37, 1), (71, 2), (71, 1), (139, 2), (139, 1)):
        x = b.conv(b.conv(x, channels_of(b, x), 3, stride, group=channels_of(b, x)), channels, 1)
    return b.conv(b.mean(x), 35, 1, relu=False)


def temporal(b):
    x = b.conv(b.input([500], 40), 64, 3)
    for dilation in (1, 2, 4, 8, 16):
        y = b.conv(b.conv(x, 128, 1), 128, 3, dilation=dilation, group=128)
        x = b.add(x, b.conv(y, 64, 1, relu=False))
    return b.conv(x, 12, 1, relu=False)


def transformer(b):
    x = b.rows(b.conv(b.input([48, 48], 3), 96, 6, 6, relu=False))
    for _ in range(2):
        q, k, v = (b.heads(b.layer(x, 96, False), 3) for _ in range(3))
        x = b.add(x, b.layer(b.attend_heads(q, k, v), 96, False))
        x = b.add(x, b.layer(b.layer(x, 384), 96, False))
    return b.layer(x, 10, False)


def resized(b):
    x = b.conv(b.input([96, 80], 1), 8)
    skips = []
    for channels in (16, 24, 40):
        skips.append(x)
        x = b.conv(b.pool(x, "max", 2, 2), channels)
    for i, skip in enumerate(reversed(skips)):
        x = b.conv(b.joined([b.resize(x, i % 2 == 0), skip]), channels_of(b, skip))
    return b.conv(x, 2, 1, relu=False)


def grouped(b):
    x = b.conv(b.input([64, 64], 3), 24, 3, 2)
    for channels, groups, stride in ((48, 4, 2), (48, 6, 1), (96, 8, 2), (96, 2, 1)):
        y = b.shuffle(b.conv(x, channels, 1), groups)
        x = b.conv(b.conv(y, channels, 3, stride, group=groups), channels, 1)
    return x


def strips(b):
    x = b.conv(b.input([75, 75], 3), 20, (7, 1), (2, 2))
    x = b.conv(b.conv(x, 28, (1, 7)), 28, (7, 1))
    y = b.joined([b.conv(x, 12, 1), b.conv(b.conv(x, 9, 1), 14, 5), b.conv(b.pool(x, "avg", 3, 1), 10, 1), b.pool(x, "max", 3, 1)])
    return b.conv(b.conv(y, 32, (3, 1), (2, 1)), 32, (1, 3), (1, 2), dilation=1)


def rows_of_layers(b):
    x = b.rows(b.conv(b.input([8, 6], 12), 100, 1))
    for width in (512, 300, 1001):
        x = b.layer(x, width)
    return x


def cells(b):
    x = b.rows(b.conv(b.input([16, 1], 40), 64, 1))
    size, h, c = 96, None, None
    for _ in range(6):
        gates = b.layer(x if h is None else b.joined([x, h]), 4 * size, False)
        i, f, g, o = b.cut(gates, 4)
        i, f, o, g = b.act(i, "sigmoid"), b.act(f, "sigmoid"), b.act(o, "sigmoid"), b.act(g, "tanh")
        new = b.mul(i, g)
        c = new if c is None else b.add(b.mul(f, c), new)
        h = b.mul(o, b.act(c, "tanh"))
    return b.layer(h, 10, False)


def batch(b):
    x = b.input([32, 32], 3, 4)
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        x = b.conv(x, channels, 3, stride)
    return b.conv(b.mean(x), 10, 1, relu=False)


def deep(b):
    x = b.conv(b.input([4, 4], 192), 384, 1)
    for _ in range(2):
        x = b.conv(b.conv(x, 256, 3), 384, 1)
    return b.conv(x, 384, 3, 2)


def large_image(b):
    x = b.conv(b.input([320, 240], 3), 16, 3, 2)
    x = b.pool(b.conv(x, 16, 3, group=16), "max", 3, 2)
    x = b.conv(b.conv(x, 32, 1), 32, 3, 2, group=32)
    return b.conv(b.act(b.conv(x, 24, 1, relu=False), "leaky"), 18, 1, relu=False)


def dense(b):
    x = b.conv(b.input([40, 40], 3), 16, 3)
    for stage in range(2):
        for _ in range(4):
            x = b.joined([x, b.conv(b.conv(x, 24, 1), 12, 3)])
        x = b.pool(b.conv(x, 32, 1), "avg", 2, 2)
    return x


def subpixel(b):
    x = b.conv(b.input([96, 96], 1), 20, 5)
    y = b.conv(b.conv(x, 12, 1), 12, 3)
    x = b.add(b.conv(y, 20, 1, relu=False), x)
    return b.subpixels(b.conv(x, 4, 3, relu=False), 2)


def keywords(b):
    x = b.conv(b.input([49, 40], 1), 64, (10, 4), (2, 2))
    for _ in range(4):
        x = b.conv(b.conv(x, 64, 3, group=64), 64, 1)
    return b.conv(b.mean(x), 12, 1, relu=False)


NETWORKS = [gated, separable, temporal, transformer, resized, grouped, strips, rows_of_layers, cells, batch, deep, large_image, dense, subpixel, keywords]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("bench/more_networks.py FOLDER [SEED]")
    folder, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    folder.mkdir(parents=True, exist_ok=True)
    for i, make in enumerate(NETWORKS):
        per_tensor = (i + seed) % 3 == 0
        for builder in (Tflite(seed, per_tensor), Tflite(seed, True, True), Onnx(seed, per_tensor), Onnx(seed, per_tensor, True)):
            if isinstance(builder, Tflite) and builder.unsigned and make in (grouped,):
                continue  # LiteRT has no grouped convolutions of unsigned codes
            builder.save(make(builder), folder / make.__name__)
        print(f"{make.__name__}: {builder.w.macs / 1e6:.1f} M multiply-accumulates, {'one scale' if per_tensor else 'scales by channel'}")


if __name__ == "__main__":
    main()
