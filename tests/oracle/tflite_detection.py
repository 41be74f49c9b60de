"""SSD's post-processing as a single-operator TFLite model: a custom operator whose options are a flexbuffer."""
import numpy as np
from flatbuffers import flexbuffers

from tflite_operands import Operand


def scores_of(m, anchors, columns, equal):
    shape = 1, anchors, columns
    return Operand(shape, np.float32, contents=m.r.integers(0, 5, shape) / 4 if equal else None)


class Custom:
    """Stands for the options of a custom operator."""

    def __init__(self, code, values):
        self.code, self.bytes = code, flexbuffers.Dumps(values)


def detections(m, regular, equal=False):
    """Boxes around seeded anchors; enough of them stay to fill every row of the result. `equal`: many scores are."""
    anchors, classes, most = int(m.r.integers(30, 60)), int(m.r.integers(1, 5)), int(m.r.integers(3, 8))
    background = int(m.r.integers(0, 2))
    values = {"max_detections": most, "max_classes_per_detection": 1, "detections_per_class": int(m.r.integers(2, 20)), "use_regular_nms": regular,
              "nms_score_threshold": -100.0, "nms_iou_threshold": float(m.r.choice([0.3, 0.6])), "num_classes": classes,
              "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}
    place = np.concatenate([m.r.uniform(0, 1, (anchors, 2)), m.r.uniform(0.05, 0.2, (anchors, 2))], 1)
    x = [Operand((1, anchors, 4), np.float32), scores_of(m, anchors, classes + background, equal), Operand((anchors, 4), np.float32, contents=place)]
    y = [Operand(s, np.float32) for s in ((1, most, 4), (1, most), (1, most), (1,))]
    return "CUSTOM", x, y, Custom("TFLite_Detection_PostProcess", values)
