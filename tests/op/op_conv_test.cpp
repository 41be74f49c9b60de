#include "op/op_conv.h"

#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

// A file's layer over 2 channels whose int8 weights have zero point -7, constant or computed.
struct OffCentre {
  GraphBuilder b{"m.tflite", "tflite"};
  ValueId x, w, y;

  OffCentre(const char* op, bool constant) {
    const bool depthwise = std::string_view(op) == "DEPTHWISE_CONV_2D";
    const auto add = [&](const char* name, Shape shape, std::int32_t zero) {
      Value v;
      v.name = name;
      v.dtype = DType::i8;
      v.shape = std::move(shape);
      v.quant = {{0.5}, {zero}, -1};
      if (v.name == "w" && constant) v.constant = std::make_shared<Tensor>(DType::i8, v.shape);
      return b.add_value(std::move(v));
    };
    x = add("x", {1, 3, 3, 2}, 4);
    w = add("w", {depthwise ? 1 : 2, 2, 2, 2}, -7);
    y = add("y", {1, 2, 2, 2}, 0);
    ForeignNode f;
    f.op = op;
    f.name = f.where = "layer";
    f.inputs = {x, w};
    f.outputs = {y};
    f.attrs.set("padding", std::string("VALID"));
    f.attrs.set("stride_h", std::int64_t{1});
    f.attrs.set("stride_w", std::int64_t{1});
    const auto made = conv_from_tflite(f, b);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  }
  const Node& layer() const { return b.so_far().node(b.so_far().find_node("layer")); }
  std::string refused(std::string_view arithmetic) const {
    const auto unsupported = find_arithmetic(arithmetic)->unsupported;
    return unsupported({b.so_far(), layer()});
  }
};

TEST(ConvFromTflite, other_readers_of_the_weights_keep_the_zero_point_that_the_layer_leaves_out) {
  const OffCentre net("DEPTHWISE_CONV_2D", true);
  const Graph& g = net.b.so_far();
  const Value& own = g.value(net.layer().inputs[1]);
  EXPECT_EQ(g.value(net.w).quant.zero, std::vector<std::int32_t>{-7});
  EXPECT_EQ(own.quant, (QuantParams{{0.5}, {0}, -1}));
  EXPECT_EQ(own.constant, g.value(net.w).constant);
  EXPECT_EQ(g.nodes().size(), 1u);
}

TEST(ConvFromTflite, whoever_makes_the_weights_keeps_the_zero_point_that_the_layer_leaves_out) {
  const OffCentre net("DEPTHWISE_CONV_2D", false);
  const Graph& g = net.b.so_far();
  const Value& own = g.value(net.layer().inputs[1]);
  EXPECT_EQ(g.value(net.w).quant.zero, std::vector<std::int32_t>{-7});
  EXPECT_EQ(own.quant, (QuantParams{{0.5}, {0}, -1}));
  ASSERT_NE(own.producer, no_id);
  EXPECT_EQ(g.node(own.producer).op, "Cast");
  EXPECT_EQ(g.node(own.producer).inputs, std::vector<ValueId>{net.w});
}

TEST(ConvFromTflite, weights_with_a_zero_point_are_refused_where_litert_refuses_them) {
  for (const bool constant : {true, false}) {
    const OffCentre full("CONV_2D", constant), by_plane("DEPTHWISE_CONV_2D", constant);
    EXPECT_NE(full.refused("tflite"), "");
    EXPECT_NE(full.refused("tflite-ref"), "");
    EXPECT_EQ(full.refused("cmsis-nn"), "");
    EXPECT_EQ(by_plane.refused("tflite") != "", constant);  // the delegate takes constants only
    EXPECT_EQ(by_plane.refused("tflite-ref"), "");
    EXPECT_EQ(by_plane.refused("cmsis-nn"), "");
  }
}

}  // namespace
}  // namespace lockstep
