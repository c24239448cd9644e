// Random connections with planted credentials: no credential survives, whatever is cut, lost, unseen or joined late.
#include "tests/unit/capture/mask_case.h"
#include "tests/unit/capture/mask_streams.h"

namespace tailcap::capture::mask {
namespace {

class MaskProperty : public testing::TestWithParam<Wire> {};

TEST_P(MaskProperty, NoCredentialIsLeft) {
  std::size_t kept = 0, planted = 0;
  for (std::uint32_t seed = 1; seed <= 1500; seed++) {
    Choices choices;
    choices.random.seed(seed);
    const Trial trial = passed(GetParam(), choices);
    ASSERT_EQ(trial.leak, "") << "seed " << seed;
    kept += trial.kept;
    planted += trial.planted;
  }
  const bool doubtful = GetParam() == Wire::doubtful;
  EXPECT_GT(planted, 5000u);
  EXPECT_GT(kept, doubtful ? 50000u : 100000u) << "masking everything is no art";
}

INSTANTIATE_TEST_SUITE_P(Wires, MaskProperty, testing::Values(Wire::http1, Wire::http2, Wire::h2c, Wire::doubtful),
                         [](const auto& wire) {
                           return wire.param == Wire::http1   ? "http1"
                                  : wire.param == Wire::http2 ? "http2"
                                  : wire.param == Wire::h2c   ? "h2c"
                                                              : "doubtful";
                         });

}  // namespace
}  // namespace tailcap::capture::mask
