// A kernel that refuses a program, and programs that load but report wrong facts.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "capture/host/kernel.h"
#include "capture/probes/self_test.h"
#include "capture/rings/rings.h"
#include "tests/bpf/recording.h"

namespace tailcap::test {

using namespace capture;
using formats::HookTier;

class Proof : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    settings_.selection.all = true;
  }
  static bool loaded(const Probes& probes, const std::string& name) {
    const auto all = probes.programs();
    return std::any_of(all.begin(), all.end(), [&](const auto& p) { return p.name == name; });
  }
  std::string refusal() {
    try {
      const auto proven = proven_probes(settings_);
      return "";
    } catch (const std::runtime_error& e) {
      return e.what();
    }
  }
  ProbeSettings settings_;
};

TEST_F(Proof, RefusedProgramsCostTheirGroupsOnly) {
  settings_.spoiled = {{"tls_return", Spoil::refused}, {"stall_lock_begin", Spoil::refused}};
  const Probes probes(settings_);
  ASSERT_EQ(probes.not_recorded().size(), 2u);
  for (const auto& sentence : probes.not_recorded()) {
    EXPECT_EQ(sentence.find('\n'), sentence.npos) << sentence;
    EXPECT_NE(sentence.find("verifier rejects the program "), sentence.npos) << sentence;
  }
  EXPECT_FALSE(probes.settings().has(Group::tls));
  EXPECT_FALSE(probes.settings().has(Group::stalls));
  EXPECT_TRUE(probes.settings().has(Group::go));
  EXPECT_FALSE(loaded(probes, "tls_return"));
  EXPECT_FALSE(loaded(probes, "tls_enter"));
  EXPECT_TRUE(loaded(probes, "state_change"));
  EXPECT_TRUE(loaded(probes, "switch_task"));
}

TEST_F(Proof, WithoutAProgramThatAllNeedNothingIsRecorded) {
  settings_.spoiled = {{"state_change", Spoil::refused}};
  const auto why = refusal();
  EXPECT_NE(why.find("verifier rejects the program state_change"), why.npos) << why;
  EXPECT_EQ(why.find('\n'), why.npos) << "a sentence, not the verifier's log: " << why;
}

TEST_F(Proof, BothTiersReportAConnectionAsItWas) {
  for (const auto tier : {HookTier::a, HookTier::c}) {
    if (choose_tier(tier, KernelTypes()).tier == HookTier::unknown) continue;
    settings_.tier = tier;
    const auto proven = proven_probes(settings_);
    EXPECT_EQ(proven.result.wrong, "");
    EXPECT_EQ(proven.result.inconclusive, "");
    EXPECT_TRUE(proven.sentences.empty());
    EXPECT_TRUE(proven.probes->losses().empty());
    const Rings rings(proven.probes->rings());
    EXPECT_EQ(rings.pending(), 0u) << "nothing of the test may be in the capture";
    EXPECT_TRUE(proven.probes->list_tasks().empty());
  }
}

// Their sockets have numbers of their own.
TEST_F(Proof, ProgramsForOlderKernelsReportAConnectionAsItWas) {
  if (machine() != "x86_64") GTEST_SKIP() << "there are none for " << machine();
  settings_.tier = HookTier::c;
  settings_.older = true;
  const auto proven = proven_probes(settings_);
  EXPECT_EQ(proven.result.wrong, "");
  EXPECT_EQ(proven.result.inconclusive, "");
  EXPECT_EQ(proven.sentences.size(), 1u) << "what they leave out";
  EXPECT_TRUE(proven.probes->losses().empty());
  EXPECT_TRUE(proven.probes->list_tasks().empty());
}

// What twins do there (bpf/core/nested.bpf.h): nothing where their programs run, and everything where the kernel skips
// them.
TEST_F(Proof, WhereThreadsMayBePreemptedInProgramsTwinsTellWhatIsSkipped) {
  settings_.preempted = true;
  for (const auto tier : {HookTier::a, HookTier::c}) {
    if (choose_tier(tier, KernelTypes()).tier == HookTier::unknown) continue;
    settings_.tier = tier;
    for (const bool skipped : {false, true}) {
      settings_.spoiled.clear();
      if (skipped)
        for (const char* name : {"io_send", "io_receive", "call_done", "arrival", "state_change"})
          settings_.spoiled.emplace_back(name, Spoil::skipped);
      const auto proven = proven_probes(settings_);
      EXPECT_EQ(proven.result.wrong, "");
      EXPECT_EQ(proven.result.inconclusive, "");
      EXPECT_TRUE(proven.probes->losses().empty());
    }
  }
}

TEST_F(Proof, WithoutPayloadAndArrivals) {
  settings_.payload_limit = 0;
  settings_.groups = {Group::io};
  EXPECT_EQ(proven_probes(settings_).result.wrong, "");
}

TEST_F(Proof, InOnePageOfMemory) {
  settings_.ring_bytes = 4096;
  const auto proven = proven_probes(settings_);
  EXPECT_EQ(proven.result.wrong, "");
  EXPECT_TRUE(proven.probes->losses().empty());
}

TEST_F(Proof, ATierThatReportsSomethingElseIsReplaced) {
  if (choose_tier(HookTier::a, KernelTypes()).tier == HookTier::unknown) GTEST_SKIP() << "there is no other tier here";
  settings_.spoiled = {{"io_receive", Spoil::idle}};
  const auto proven = proven_probes(settings_);
  EXPECT_EQ(proven.probes->tier().tier, HookTier::c);
  EXPECT_NE(proven.probes->tier().reason.find("a receive is not reported"), std::string::npos)
      << proven.probes->tier().reason;
  EXPECT_EQ(proven.sentences.size(), 1u);
}

TEST_F(Proof, WhereNoTierIsRightNothingIsRecorded) {
  settings_.spoiled = {{"arrival", Spoil::idle}, {"arrival_nested", Spoil::idle}};
  const auto why = refusal();
  EXPECT_NE(why.find("recording is refused"), why.npos) << why;
  EXPECT_NE(why.find("an arrival is not reported"), why.npos) << why;
  settings_.tier = HookTier::c;
  EXPECT_NE(refusal().find("recording is refused"), std::string::npos) << "a tier that was asked for is not replaced";
}

}  // namespace tailcap::test
