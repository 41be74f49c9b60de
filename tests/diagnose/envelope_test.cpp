// How far arithmetics may lie apart on one model, and where a device leaves that.
#include "diagnose/envelope.h"

#include "diagnose/judge.h"
#include "diagnose/session.h"
#include "diff/inputs.h"
#include "import/import.h"
#include "support/folders.h"
#include "support/nets.h"

namespace lockstep {
namespace {

struct Bench {
  std::string file = test::source_folder() + "/examples/s2/liveness_int8.onnx";
  Graph model = *import_model(file);
  Executor reference = test::executor(model, "ort");
  std::vector<Executor> others = other_arithmetics(model, *find_arithmetic("ort"));
  std::vector<std::string> notes;
  std::vector<Sample> sent =
      *read_inputs(test::source_folder() + "/examples/s2/faces.npz", model, notes);
  std::vector<Sample> expected = reference.run(sent)->samples;

  Envelope measured(const std::string& fault) {
    std::vector<Sample> device = expected;
    if (!fault.empty())
      device = reference.run(sent, {}, *inject(reference, *parse_faults(fault)))->samples;
    const Case c{.reference = reference,
                 .recorded = {sent, expected, device, StateMode::reset},
                 .tolerance = {},
                 .others = [this]() -> std::span<const Executor> { return others; },
                 .search = {},
                 .model = file,
                 .target = "d",
                 .input = "x"};
    auto e = envelope_of(c);
    EXPECT_TRUE(e.ok()) << (e.ok() ? "" : e.error().line());
    return std::move(*e);
  }
};

TEST(Envelope, holds_every_named_arithmetic_and_the_reference_itself_is_inside) {
  Bench b;
  const Envelope e = b.measured("");
  EXPECT_GE(e.arithmetics.size(), 4u);
  EXPECT_EQ(std::ranges::count(e.arithmetics, "float"), 0);
  EXPECT_FALSE(e.leaves);
  double widest = 0;
  for (const EnvelopeRow& row : e.rows) widest = std::max(widest, row.most);
  EXPECT_GE(widest, 1) << "neural-art rounds otherwise than ort somewhere in this network";
}

TEST(Envelope, a_device_that_cuts_off_leaves_it_where_its_error_has_grown) {
  Bench b;
  const Envelope e = b.measured("requant-truncates");
  ASSERT_TRUE(e.leaves);
  const EnvelopeRow& row = e.rows[*e.leaves];
  EXPECT_FALSE(row.inside);
  EXPECT_GT(*row.device, std::max(row.most, row.simulated));
  for (std::size_t i = 0; i < *e.leaves; ++i) EXPECT_TRUE(e.rows[i].inside) << e.rows[i].tensor;
}

}  // namespace
}  // namespace lockstep
