#include "kernel/kernel_dot_share.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "arith/arith.h"
#include "run/node_kernels.h"
#include "support/kernel_case.h"

namespace lockstep {
namespace {

DotWork work(std::int64_t panels, std::int64_t chunks, std::int64_t strips, double cost) {
  DotWork w{1, panels, chunks, strips};
  for (int v = 1; v < 8; ++v) w.strip_vec[v] = cost * v;
  return w;
}

TEST(DotShare, one_thread_or_little_work_is_one_part) {
  EXPECT_EQ(share_dot(work(10, 3, 64, 1e4), 1).parts(), 1);
  EXPECT_EQ(share_dot(work(10, 3, 8, 10), 2).parts(), 1);
}

TEST(DotShare, many_rows_are_shared_by_rows) {
  DotWork w = work(3, 1, 64, 1000);
  w.input_bytes = 1e5, w.weight_bytes = 1e4;
  const DotShare s = share_dot(w, 2);
  EXPECT_EQ(s.columns, 1);
  EXPECT_EQ(s.chunks, 1);
  EXPECT_GE(s.rows, 2);
}

TEST(DotShare, few_rows_of_many_weights_are_shared_by_channels_evenly) {
  DotWork w = work(10, 3, 8, 2000);
  w.input_bytes = 1e4, w.weight_bytes = 2e5;
  const DotShare s = share_dot(w, 2);
  EXPECT_EQ(s.columns, 2);
  EXPECT_EQ(s.chunks % 2, 0) << "10 panels in 3 chunks are 3, 3, 4: no halves";
}

TEST(DotShare, a_single_row_is_shared_by_channels) {
  EXPECT_EQ(share_dot(work(64, 16, 1, 1000), 4).columns, 4);
}

TEST(DotShare, has_parts_for_every_thread_where_the_work_allows_it) {
  for (int threads = 2; threads <= 12; ++threads)
    EXPECT_GE(share_dot(work(8, 2, 40, 5000), threads).parts(), threads) << threads;
}

// A convolution, or a product, that is large enough to be shared: 1 M multiply-accumulates and
// more, of odd extents.
std::optional<test::KernelCase> large_case(test::CaseMaker& m) {
  const DType tx = m.byte_type(), ty = m.byte_type(), tw = m.from(0, 3) ? DType::i8 : DType::u8;
  const std::int64_t oc = m.from(17, 190), taps = m.from(0, 2) == 0 ? 1 : 3;
  const bool gemm = m.from(0, 4) == 0;
  const std::int64_t group = gemm || m.from(0, 3) ? 1 : m.from(2, 5), ic = m.from(9, 130);
  const std::int64_t each = (oc + group - 1) / group * ic * taps * taps;
  const std::int64_t places = 1500000 / (each * group) + m.from(1, 9);
  test::CaseBuilder b(gemm ? "Gemm" : "Conv");
  if (gemm) {
    const std::int64_t rows = 1500000 / (oc * ic) + 1;
    b.input(m.codes(tx, {rows, ic}), m.quant(tx), false);
    b.input(m.codes(tw, {oc, ic}), m.quant(tw), true);
    b.node().attrs.set("transB", std::int64_t{1});
    return b.finish(ty, m.quant(ty));
  }
  const std::int64_t channels = (oc + group - 1) / group * group,
                     height = m.from(0, 3) == 0 ? 1 : m.from(2, 41),
                     width = std::max<std::int64_t>(3, places / height + 1);
  b.input(m.codes(tx, {m.from(1, 2), ic * group, height, width}), m.quant(tx), false);
  b.input(m.codes(tw, {channels, ic, height == 1 ? 1 : taps, taps}),
          m.quant(tw, m.coin() ? channels : 1, 0), true);
  b.input(m.bias(channels), {}, true);
  b.node().attrs.set("group", group);
  const std::int64_t pad = taps / 2, stride = m.coin() ? 1 : 2, low = height == 1 ? 0 : pad;
  b.node().attrs.set("pads", std::vector<std::int64_t>{low, pad, low, pad});
  b.node().attrs.set("strides", std::vector<std::int64_t>{height == 1 ? 1 : stride, stride});
  return b.finish(ty, m.quant(ty));
}

std::optional<test::KernelCase> depthwise_case(test::CaseMaker& m) {
  const DType tx = m.byte_type(), ty = m.byte_type();
  const std::int64_t channels = m.from(2, 150), height = m.from(1, 30), width = m.from(3, 40),
                     taps = m.coin() ? 3 : 5, pad = m.from(0, 2), stride = m.from(1, 3);
  test::CaseBuilder b("Conv");
  b.input(m.codes(tx, {m.from(1, 3), channels, height, width}), m.quant(tx), false);
  b.input(m.codes(DType::i8, {channels, 1, taps, taps}), m.quant(DType::i8, channels, 0, false),
          true);
  b.input(m.bias(channels), {}, true);
  b.node().attrs.set("group", channels);
  b.node().attrs.set("pads", std::vector<std::int64_t>{pad, pad, pad, pad});
  b.node().attrs.set("strides", std::vector<std::int64_t>{stride, stride});
  return b.finish(ty, m.quant(ty));
}

std::vector<std::byte> made_by(const PreparedKernel& kernel, const test::KernelCase& c,
                               int threads) {
  const auto aligned = [](std::vector<std::byte>& v) {
    return v.data() + (64 - reinterpret_cast<std::uintptr_t>(v.data()) % 64) % 64;
  };
  std::vector<std::byte> x(c.tensors[0].bytes().size() + kernel_slack + 64),
      scratch(kernel.scratch_bytes(threads) + 128, std::byte{0x5a});
  std::ranges::copy(c.tensors[0].bytes(), aligned(x));
  const Value& y = c.graph.value(c.graph.nodes()[0].outputs[0]);
  std::vector<std::byte> out(static_cast<std::size_t>(count_of(y.shape)) * size_of(y.dtype));
  const std::byte* const in[] = {aligned(x), nullptr, nullptr};
  std::byte* const to[] = {out.data()};
  Workers workers(threads);
  for (int round = 0; round < 3; ++round) kernel.run({in, to, aligned(scratch), workers});
  return out;
}

// What one thread makes is what `eval` makes: the contract of each kernel's own test.
void expect_bytes_of_one_thread(std::initializer_list<std::string_view> names,
                                std::optional<test::KernelCase> (*make)(test::CaseMaker& m)) {
  int compared = 0;
  for (const std::string_view name : names) {
    const Kernel* const kernel = find_kernel(name);
    ASSERT_NE(kernel, nullptr);
    if (!runs_here(kernel->isa)) {
      std::printf("%s needs %s: skipped\n", std::string(name).c_str(),
                  std::string(name_of(kernel->isa)).c_str());
      continue;
    }
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      test::CaseMaker m(seed);
      const auto c = make(m);
      if (!c) continue;
      const NodeView view{c->graph, c->graph.nodes()[0]};
      std::vector<const Tensor*> constants;
      for (std::size_t i = 0; i < c->tensors.size(); ++i) constants.push_back(view.constant(i));
      for (const std::string_view arithmetic : {"ort", "tflite"}) {
        const KernelProblem p{view, *find_arithmetic(arithmetic)->numerics, constants};
        if (!kernel->fits(p)) continue;
        const auto prepared = kernel->prepare(p);
        const std::vector<std::byte> want = made_by(*prepared, *c, 1);
        for (const int threads : {2, 3, 4, 7, 11}) {
          ++compared;
          ASSERT_EQ(made_by(*prepared, *c, threads), want)
              << name << ", " << arithmetic << ", " << threads << " threads, seed " << seed << " "
              << view.node.op << c->text;
        }
      }
    }
  }
  EXPECT_GE(compared, 100);
}

TEST(DotShare, shared_by_any_number_of_threads_the_bytes_are_those_of_one) {
  expect_bytes_of_one_thread({"dot_avx2", "dot_avxvnni", "dot_avx512vnni"}, large_case);
}

TEST(DotShare, depthwise_lines_that_threads_stage_apart_make_the_bytes_of_one) {
  expect_bytes_of_one_thread({"depthwise_avx2", "depthwise_avxvnni", "depthwise_avx512vnni"},
                             depthwise_case);
}

}  // namespace
}  // namespace lockstep
