// What the STM32N6 has, what costs time on it, what was measured; docs/neural-art.md, "The device".
#include "device/device_stm32n6.h"

namespace lockstep {
namespace {

constexpr DeviceMemory memories[] = {
    {"npuRAM3", "accelerator's bank 3", 0x34200000, 448 * 1024, 6400, false, false},
    {"npuRAM4", "accelerator's bank 4", 0x34270000, 448 * 1024, 6400, false, false},
    {"npuRAM5", "accelerator's bank 5", 0x342E0000, 448 * 1024, 6400, false, false},
    {"npuRAM6", "accelerator's bank 6", 0x34350000, 448 * 1024, 6400, false, false},
    {"cpuRAM2", "processor's bank 2", 0x34100000, 1024 * 1024, 3200, false, false},
    {"hyperRAM", "external, xSPI1", 0x90000000, 16 * 1024 * 1024, 400, false, true},
    {"octoFlash", "external, xSPI2, constants", 0x70000000, 64 * 1024 * 1024, 400, true, true},
};

constexpr DeviceLimit limits[] = {
    {"a convolution over more than 128 input channels that are no multiple of 8 runs on the CPU",
     "pad the channels to a multiple of 8",
     [](const NodeView& n) {
       return n6_place(n).place == DevicePlace::cpu_integer && n6_layer(n).in > 0;
     },
     0.9},
    {"a dilated convolution is cut into phases: four more epochs",
     "dilation 1 with a larger kernel, or a stride before it",
     [](const NodeView& n) { return n6_layer(n).in > 0 && n6_largest(n, "dilations") > 1; }, 0.7},
    {"kernels higher than 3 rows or wider than 6 columns (12 when columns are skipped) are cut, "
     "and the sum is rounded to 16 bits after each piece",
     "kernels of 3 rows and 3, 6 or 12 columns",
     [](const NodeView& n) {
       const N6Layer l = n6_layer(n);
       return l.in > 0 && (l.rows > 3 || l.columns > (n6_largest(n, "strides") > 1 ? 12 : 6));
     },
     0.4},
    {"output channels that are no multiple of 8 waste cycles",
     "a multiple of 8; of 16 .. 24 for 1x1 kernels",
     [](const NodeView& n) {
       const N6Layer l = n6_layer(n);
       return l.in > 0 && l.out % 8 != 0 && l.out > 8;
     },
     0.1},
    {"a stride other than 1, 2 or 4 is inefficient", "stride 1, 2 or 4",
     [](const NodeView& n) {
       const std::int64_t s = n6_largest(n, "strides");
       return n6_layer(n).in > 0 && s != 1 && s != 2 && s != 4;
     },
     0.3},
    {"depthwise convolution of stride 2 stalls the accelerator with Core 4.0.1",
     "stride 1 and a subsampling slice behind it: the same numbers, or another release",
     [](const NodeView& n) {
       const N6Layer l = n6_layer(n);
       return l.group > 1 && n6_largest(n, "strides") == 2;
     },
     0},
    {"a pooling window larger than 3x3 is decomposed", "windows up to 3x3",
     [](const NodeView& n) {
       return n6_is(n, {"MaxPool", "AveragePool"}) && n6_largest(n, "kernel_shape") > 3;
     },
     0.3},
    {"floats run on the CPU", "quantize this operation, or take it off the device",
     [](const NodeView& n) {
       return n6_place(n).place == DevicePlace::cpu_float &&
              !n6_is(n, {"QuantizeLinear", "DequantizeLinear"});
     },
     0.9},
    {"the CPU turns codes into floats or back",
     "take int8 inputs and outputs and scale them in the application",
     [](const NodeView& n) {
       return n6_place(n).place == DevicePlace::cpu_float &&
              n6_is(n, {"QuantizeLinear", "DequantizeLinear"});
     },
     0.9},
    {"no unit computes it: an integer kernel of the CPU", "take it off the device, or replace it",
     [](const NodeView& n) {
       return n6_place(n).place == DevicePlace::cpu_integer && n6_layer(n).in == 0;
     },
     0.9},
    {"more than 512 output channels: constants are streamed and the bias has 16 bits",
     "at most 512 output channels a layer", [](const NodeView& n) { return n6_layer(n).out > 512; },
     0.1},
    {"more than 256 input channels of a 1x1 kernel are summed in passes, rounded to 16 bits after "
     "each",
     "at most 256 input channels a layer",
     [](const NodeView& n) {
       const N6Layer l = n6_layer(n);
       return l.rows * l.columns == 1 && l.in > 256;
     },
     0.1},
    {"a change of layout moves every element", "the layout of the neighbours",
     [](const NodeView& n) { return n.node.op == "Transpose"; }, 1},
};

constexpr std::string_view zoo = "STM32N6570-DK, Core 2.0 to 3.0, 1 GHz";
constexpr DeviceFigure figures[] = {
    {"MobileNetV2 0.35, 128, food101", 3.33, zoo},
    {"MobileNetV2 0.35, 224, food101", 6.12, zoo},
    {"MobileNetV2 1.0, 224, food101", 18.08, zoo},
    {"MobileNetV2 1.0, 224, ImageNet", 21.08, zoo},
    {"MobileNetV2 1.4, 224, ImageNet", 35.34, zoo},
    {"YOLOv8n 192", 18.91, zoo},
    {"YOLOv8n 256", 28.6, zoo},
    {"YOLOv8n 320", 38.32, zoo},
    {"YOLOv8n 416", 63.03, zoo},
    {"st_yoloxn d033 w025 192", 6.63, zoo},
    {"st_yoloxn d033 w025 256", 9.42, zoo},
    {"st_yoloxn d033 w025 320", 13.29, zoo},
    {"st_yoloxn d033 w025 416", 21.3, zoo},
    {"YAMNet-256", 1.07, zoo},
    {"YAMNet-1024", 9.88, zoo},
    {"BlazeFace front 128", 4.48, zoo},
    {"residual TCN, 2.37 M multiply-accumulates", 1.124, "STM32N6570-DK"},
};

}  // namespace

extern constinit const DeviceDef device_stm32n6 = {
    .name = "stm32n6",
    .meaning =
        "STM32N6 with Neural-ART: 4 convolution, 4 arithmetic, 2 pooling and 2 activation units, "
        "10 stream engines, 1 GHz",
    .arithmetic = "neural-art",
    .memories = memories,
    .limits = limits,
    .figures = figures,
    .error =
        "10 % at most on the 13 published figures it was fitted to, 22 % on 4 of an assumed "
        "network",
    .channel_group = 8,
    .largest_weight_ratio = 1024,
    .place = n6_place,
    .cost = n6_cost,
};

}  // namespace lockstep
