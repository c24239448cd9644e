// A kernel that refuses a program, and programs that load but report wrong facts.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "bpf/event.h"
#include "capture/host/clocks.h"
#include "capture/host/kernel.h"
#include "capture/probes/self_test.h"
#include "capture/rings/rings.h"
#include "tests/bpf/recording.h"

namespace tailcap::test {

using namespace capture;
using formats::HookTier;

namespace {

// A child, which becomes a target, connects to itself over loopback and moves `messages` bytes, one at a time.
void talk_to_oneself(Probes& probes, int messages) {
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const to = reinterpret_cast<sockaddr*>(&address);
    char byte = 'x';
    bool well = read(go[0], &byte, 1) == 1;
    const int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    well = well && bind(listener, to, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, to, &size) == 0 &&
           connect(client, to, size) == 0;
    const int server = well ? accept(listener, nullptr, nullptr) : -1;
    for (int i = 0; well && i < messages; ++i) well = write(client, &byte, 1) == 1 && read(server, &byte, 1) == 1;
    _exit(well ? 0 : 1);
  }
  const int process = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  probes.make_target(static_cast<std::uint32_t>(child), process);
  EXPECT_EQ(write(go[1], "g", 1), 1);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int end : {go[0], go[1], process}) close(end);
}

// How many times each arrival of one byte is in the rings, by socket and position.
std::map<std::pair<std::uint64_t, std::uint32_t>, int> arrivals(Rings& rings) {
  std::map<std::pair<std::uint64_t, std::uint32_t>, int> found;
  rings.begin(monotonic_now(), true);
  for (auto record = rings.next(); !record.empty(); record = rings.next()) {
    bpf::record_segment segment;
    if (record.size() < sizeof segment) continue;
    std::memcpy(&segment, record.data(), sizeof segment);
    if (segment.h.kind == bpf::RECORD_ARRIVAL && segment.h.length == 1) ++found[{segment.socket, segment.position}];
  }
  rings.release();
  return found;
}

}  // namespace

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

// As where the verifier trusts no socket that a task's file leads to.
TEST_F(Proof, SocketsThatAreFoundByTheirAddressesAreReportedAsTheyWere) {
  if (!KernelTypes().has_struct("bpf_iter__unix")) GTEST_SKIP() << "this kernel has no iterators over UNIX sockets";
  settings_.lists_by_address = true;
  const auto proven = proven_probes(settings_);
  EXPECT_EQ(proven.result.wrong, "");
  EXPECT_EQ(proven.result.inconclusive, "");
  EXPECT_TRUE(proven.sentences.empty());
  EXPECT_TRUE(loaded(*proven.probes, "adopt_unix"));
  EXPECT_FALSE(loaded(*proven.probes, "list_sockets"));
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // with a listener and two ends of a UNIX connection
    int ends[2];
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const bool well = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && listen(listener, 1) == 0;
    (void)!write(ready[1], well ? "y" : "n", 1);
    pause();
    _exit(0);
  }
  char said = 0;
  EXPECT_EQ(read(ready[0], &said, 1), 1);
  EXPECT_EQ(said, 'y');
  proven.probes->add_target(static_cast<std::uint32_t>(child));
  proven.probes->mark_targets();
  const auto listed = proven.probes->list_sockets();
  std::multiset<std::pair<int, formats::Origin>> sockets;
  for (std::size_t at = 0; at + sizeof(bpf::record_socket) <= listed.size(); at += sizeof(bpf::record_socket)) {
    bpf::record_socket socket;
    std::memcpy(&socket, listed.data() + at, sizeof socket);
    if (socket.h.pid == static_cast<std::uint32_t>(child))
      sockets.emplace(socket.family, static_cast<formats::Origin>(socket.origin));
  }
  using formats::Origin;
  EXPECT_EQ(sockets, (std::multiset<std::pair<int, Origin>>{
                         {AF_UNIX, Origin::existed}, {AF_UNIX, Origin::existed}, {AF_INET, Origin::listener}}));
  kill(child, SIGKILL);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  for (const int end : ready) close(end);
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
  if (!KernelTypes().lets_programs_keep_the_cpu()) GTEST_SKIP() << "this kernel has no means for what they need there";
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

// The kernel runs a twin after its program only if it was attached after it.
TEST_F(Proof, AfterAPauseNoArrivalIsReportedTwice) {
  constexpr int kMessages = 50;
  Probes probes(settings_);
  Rings rings(probes.rings());
  probes.attach();
  ASSERT_TRUE(probes.record_bytes(false));
  talk_to_oneself(probes, kMessages);
  EXPECT_TRUE(arrivals(rings).empty()) << "they are paused";
  ASSERT_TRUE(probes.record_bytes(true));
  talk_to_oneself(probes, kMessages);
  const auto found = arrivals(rings);
  EXPECT_GE(found.size(), static_cast<std::size_t>(kMessages));
  for (const auto& [place, times] : found) EXPECT_EQ(times, 1) << place.second;
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
