#include "fault/fault_claim.h"
#include "support/fault_networks.h"

namespace lockstep::test {
namespace {

TEST(InputNormalizedWrongly, is_reproduced_to_the_bit_by_its_own_candidates) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "input-normalized-wrongly", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,scale=0.00392156862745098", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=1", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=2", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=3", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=4", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=5", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=6", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=7", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,statistics=8", "x"},
           FaultCase{picture_network, "input-normalized-wrongly,scale=-1", "x"},
           FaultCase{code_network, "input-normalized-wrongly,scale=-1", "x"},
           FaultCase{code_network, "input-normalized-wrongly,scale=1.46,offset=0.652", "x"},
           FaultCase{activation_network, "input-normalized-wrongly,scale=0.5,offset=0.5", "x"},
           FaultCase{
               activation_network,
               "input-normalized-wrongly,statistics=9,c0.k=1.2,c1.k=0.85,c1.add=-0.31,c3.add=0.4",
               "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-normalized-wrongly");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_EQ(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

TEST(InputNormalizedWrongly, does_not_explain_what_is_near) {
  for (const FaultCase& c : {
           FaultCase{picture_network, "input-channels-reordered", "x"},
           FaultCase{picture_network, "input-mirrored", "x"},
       }) {
    const Outcome o = inject_and_explain(c.network(), c.fault, c.place, "input-normalized-wrongly");
    EXPECT_GT(o.counts.differing, 0) << c.fault << " at " << c.place;
    EXPECT_GT(o.counts.left, 0) << c.fault << " at " << c.place;
  }
}

Params found(const Executor& network, const char* fault) {
  return inject_and_explain(network, fault, "x", "input-normalized-wrongly").params;
}

// From what the device had, in codes of its own: the numbers that were meant, not any that round
// alike.
TEST(InputNormalizedWrongly, finds_the_plain_numbers_of_each_channel) {
  EXPECT_EQ(found(code_network(), "input-normalized-wrongly,scale=1.46,offset=2"),
            (Params{{"scale", 1.46}, {"offset", 2}}));
  EXPECT_EQ(found(code_network(), "input-normalized-wrongly,scale=-1"),
            (Params{{"scale", -1}, {"offset", 0}}));
  const Params each = found(picture_network(),
                            "input-normalized-wrongly,statistics=9,c0.k=0.8,c1.add=-0.25,c2.k=1.5");
  EXPECT_EQ(each, (Params{{"statistics", 9}, {"c0.k", 0.8}, {"c1.add", -0.25}, {"c2.k", 1.5}}));
}

// Channels last, where evenly drawn elements of a large picture may all be of one channel.
TEST(InputNormalizedWrongly, finds_each_channel_of_a_large_interleaved_picture) {
  const Params each = found(input_alone({1, 224, 224, 3}, "tflite"),
                            "input-normalized-wrongly,statistics=9,c0.k=0.8,c1.k=1.1,c2.k=0.95");
  EXPECT_EQ(each, (Params{{"statistics", 9}, {"c0.k", 0.8}, {"c1.k", 1.1}, {"c2.k", 0.95}}));
}

TEST(InputNormalizedWrongly, says_a_turned_sign_and_other_statistics_in_words) {
  const Executor e = picture_network();
  const Site site = site_at(e, "x");
  const FaultDef& fault = *find_fault("input-normalized-wrongly");
  EXPECT_EQ(claim_text(site, fault, {{"scale", -1}}), "the sign of the input is turned");
  EXPECT_EQ(claim_text(site, fault, {{"scale", -1}, {"offset", 1}}),
            "the input is turned around, 1 minus the value");
  EXPECT_EQ(claim_text(site, fault, {{"scale", 2}, {"offset", -1}}),
            "the input is normalized wrongly: 2 times the value minus 1");
  EXPECT_EQ(claim_text(site, fault, {{"scale", 1}, {"offset", -0.25}}),
            "the input is normalized wrongly: -0.25 is added to every value");
  EXPECT_EQ(claim_text(site, fault, {{"statistics", 5}}),
            "the means of ImageNet's channels are not subtracted from the input");
}

}  // namespace
}  // namespace lockstep::test
