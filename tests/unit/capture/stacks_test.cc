// Samples: addresses from the kernel become names, for this very program.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "bpf/event.h"
#include "capture/rings/convert.h"
#include "capture/scan/process_texts.h"
#include "capture/stacks/samples.h"
#include "capture/stacks/scripts/frame_name.h"
#include "capture/symbols/demangle.h"

namespace chain {

using Inside = std::function<void(std::vector<std::uint64_t>)>;

// Follows frame pointers as the kernel does. Innermost first.
[[gnu::noinline]] std::vector<std::uint64_t> walk() {
  std::vector<std::uint64_t> addresses;
  auto* frame = static_cast<std::uint64_t*>(__builtin_frame_address(0));
  while (addresses.size() < 40 && frame[0] > reinterpret_cast<std::uint64_t>(frame)) {
    addresses.push_back(frame[1]);
    frame = reinterpret_cast<std::uint64_t*>(frame[0]);
  }
  return addresses;
}

volatile int calls;
[[gnu::noinline]] void link_12(const Inside& inside) {
  inside(walk());
  calls = calls + 1;
}
#define LINK(n, next)                                     \
  [[gnu::noinline]] void link_##n(const Inside& inside) { \
    link_##next(inside);                                  \
    calls = calls + 1;                                    \
  }
LINK(11, 12)
LINK(10, 11) LINK(9, 10) LINK(8, 9) LINK(7, 8) LINK(6, 7) LINK(5, 6) LINK(4, 5) LINK(3, 4) LINK(2, 3) LINK(1, 2)

}  // namespace chain

// Functions of two bytes each, one behind the other.
asm(R"(
.pushsection .text
.macro two_bytes name
.type \name, @function
\name: nop
nop
.size \name, 2
.endm
two_bytes before_interrupted
two_bytes interrupted
two_bytes runtime.asyncPreempt
.popsection
)");
extern "C" void interrupted();
extern "C" void go_async_preempt() asm("runtime.asyncPreempt");

namespace {

using namespace tailcap;
using capture::stacks::KernelNames;
using capture::stacks::Lacking;
using capture::stacks::Samples;

// Forked before this process has threads.
const capture::scan::Processes& processes() {
  static const capture::scan::Processes all;
  return all;
}

KernelNames kernel() {
  std::istringstream text(
      "ffffffff81000000 T _text\nffffffff81000000 t first\nffffffff81000100 T do_syscall_64\nffffffff81000200 d "
      "some_data\n"
      "ffffffffa0000000 t handler\t[module]\nbroken line\n");
  return KernelNames(text);
}

std::vector<std::byte> record(std::vector<std::uint64_t> user, std::vector<std::uint64_t> in_kernel,
                              std::uint32_t pid) {
  bpf::record_sample r{};
  r.h.time = 77;
  r.h.pid = pid;
  r.h.tid = 5;
  r.h.kind = bpf::RECORD_SAMPLE;
  r.goroutine = 42;
  r.user = static_cast<std::uint16_t>(user.size());
  r.kernel = static_cast<std::uint16_t>(in_kernel.size());
  user.insert(user.end(), in_kernel.begin(), in_kernel.end());
  std::vector<std::byte> bytes(sizeof r + user.size() * 8);
  std::memcpy(bytes.data(), &r, sizeof r);
  if (!user.empty()) std::memcpy(bytes.data() + sizeof r, user.data(), user.size() * 8);
  return bytes;
}

// However long it takes to read the file of this program: under sanitizers it is large.
const formats::Event* next_of(Samples& samples) {
  const formats::Event* event = samples.next();
  for (int i = 0; i < 50 && event == nullptr; ++i) {
    samples.wait();
    event = samples.next();
  }
  return event;
}

TEST(ProcessTexts, AThreadThatIsInAHurryWaitsForNoAnswer) {
  bool hurry = true;
  capture::scan::ProcessTexts texts(processes(), [&] { return hurry; });
  const auto pid = static_cast<std::uint32_t>(getpid());
  for (int i = 0; i < 1000; ++i) texts.ask({pid, false, capture::scan::kAllMappings});
  texts.wait(std::chrono::seconds(30), true);
  const auto now = texts.take().size();
  EXPECT_LT(now, 1000u);
  hurry = false;
  texts.wait(std::chrono::seconds(30), true);
  EXPECT_EQ(now + texts.take().size(), 1000u);
}

TEST(Stacks, AChainOfTwelveIsNamedInOrder) {
  Samples samples(kernel(), processes());
  chain::link_1([&](std::vector<std::uint64_t> addresses) {
    addresses.insert(addresses.begin(), reinterpret_cast<std::uint64_t>(&chain::walk));
    ASSERT_TRUE(samples.take(record(addresses, {}, static_cast<std::uint32_t>(getpid()))));
  });
  const formats::Event* event = next_of(samples);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->time, formats::time_from(77));
  EXPECT_EQ(event->thread, (formats::Thread{static_cast<std::uint32_t>(getpid()), 5}));
  EXPECT_EQ(event->goroutine, 42u);
  std::string expected;
  for (int i = 1; i <= 12; ++i)
    expected += ";chain::link_" + std::to_string(i) +
                "(std::function<void (std::vector<unsigned long, std::allocator<unsigned long> >)> const&)";
  const auto& sample = std::get<formats::Sample>(event->body);
  EXPECT_TRUE(sample.user.ends_with(expected + ";chain::walk()")) << sample.user;
  EXPECT_NE(sample.user.find("TestBody()"), sample.user.npos) << sample.user;
  EXPECT_EQ(sample.kernel, "");
  EXPECT_EQ(samples.next(), nullptr);
}

TEST(Stacks, WhatASignalInterruptedIsNoReturnAddress) {
  Samples samples(kernel(), processes());
  const auto self = static_cast<std::uint32_t>(getpid());
  const auto at = reinterpret_cast<std::uint64_t>(&interrupted);
  const auto preempt = reinterpret_cast<std::uint64_t>(&go_async_preempt);
  ASSERT_TRUE(samples.take(record({preempt + 1, at}, {}, self)));
  ASSERT_TRUE(samples.take(record({at, preempt + 1, at, at}, {}, self)));
  const auto text = [&] { return std::get<formats::Sample>(next_of(samples)->body).user; };
  EXPECT_EQ(text(), "interrupted;runtime.asyncPreempt");
  EXPECT_EQ(text(), "before_interrupted;interrupted;runtime.asyncPreempt;interrupted");
}

TEST(Stacks, WhatHasNoNameSaysSo) {
  Samples samples(kernel(), processes());
  const auto self = static_cast<std::uint32_t>(getpid());
  ASSERT_TRUE(samples.take(record({0x10, 0x1000}, {}, self)));
  ASSERT_TRUE(samples.take(
      record({}, {0xffffffff81000110, 0xffffffff81000100, 0xffffffff81000210, 0xffffffffa0000010, 5}, self)));
  ASSERT_TRUE(samples.take(record({0x5000}, {}, 0x7ffffff)));  // no such process
  ASSERT_TRUE(samples.take(record(std::vector<std::uint64_t>(STACK_MAX, 0x10), {}, self)));
  samples.wait();
  EXPECT_EQ(std::get<formats::Sample>(samples.next()->body).user, "[unknown];[unknown]");
  // A return address is behind its call: ffffffff81000100 was called from the preceding function.
  const auto in_kernel = std::get<formats::Sample>(samples.next()->body);
  EXPECT_EQ(in_kernel.user, "");
  EXPECT_EQ(in_kernel.kernel, "[kernel];handler;[kernel];_text;do_syscall_64");
  EXPECT_EQ(std::get<formats::Sample>(samples.next()->body).user, "[unknown]");
  const auto deep = std::get<formats::Sample>(samples.next()->body);
  EXPECT_TRUE(deep.user.starts_with("[cut];[unknown];[unknown]")) << deep.user;
}

TEST(Stacks, OfAWaitIsOfWhenItBeganAndEndsWhereTheKernelLeaves) {
  std::istringstream text(
      "ffffffff81000000 T _text\nffffffff81000100 T __schedule\nffffffff81000200 T bpf_trace_run4\n");
  Samples samples{KernelNames(text), processes()};
  auto bytes = record({}, {0xffffffff81000210, 0xffffffff81000110, 0xffffffff81000010}, 1);
  bpf::record_sample r;
  std::memcpy(&r, bytes.data(), sizeof r);
  r.what = bpf::SAMPLE_OFF_CPU;
  r.value = 33;
  r.weight = 4;
  std::memcpy(bytes.data(), &r, sizeof r);
  ASSERT_TRUE(samples.take(bytes));
  const formats::Event* event = samples.next(Lacking::anything);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->time, formats::time_from(33));
  const auto& sample = std::get<formats::Sample>(event->body);
  EXPECT_EQ(sample.kind, formats::SampleKind::off_cpu);
  EXPECT_EQ(sample.weight, 4u);
  EXPECT_EQ(sample.value, 0u);
  EXPECT_EQ(sample.kernel, "_text;__schedule");
}

TEST(Stacks, AThreadThatHasLeftItsWaitHasNone) {
  std::istringstream text(
      "ffffffff81000000 T do_syscall_64\nffffffff81000100 T __schedule\nffffffff81000200 T sysvec_irq_work\n");
  Samples samples{KernelNames(text), processes()};
  const auto take = [&](std::vector<std::uint64_t> kernel) {
    auto bytes = record({}, kernel, 1);
    bpf::record_sample r;
    std::memcpy(&r, bytes.data(), sizeof r);
    r.what = bpf::SAMPLE_OFF_CPU;
    r.value = 33;
    r.weight = 4;
    std::memcpy(bytes.data(), &r, sizeof r);
    EXPECT_TRUE(samples.take(bytes));
  };
  take({0xffffffff81000210, 0xffffffff81000010});
  EXPECT_EQ(samples.next(Lacking::anything), nullptr);
  take({0xffffffff81000210, 0xffffffff81000110, 0xffffffff81000010});
  const formats::Event* event = samples.next(Lacking::anything);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(std::get<formats::Sample>(event->body).weight, 8u) << "the other one is left out, and counted";
  EXPECT_EQ(std::get<formats::Sample>(event->body).kernel, "do_syscall_64;__schedule");
}

TEST(Stacks, AnyBytesAreRefusedOrTaken) {
  Samples samples(kernel(), processes());
  auto bytes = record({1, 2, 3}, {4, 5}, 1);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(samples.take(std::span(bytes).first(size))) << size;
  EXPECT_TRUE(samples.take(bytes));
  bpf::record_sample r;
  std::memcpy(&r, bytes.data(), sizeof r);
  r.user = 0xffff;
  std::memcpy(bytes.data(), &r, sizeof r);
  EXPECT_FALSE(samples.take(bytes));
  EXPECT_EQ(capture::kind_of_record(bytes), bpf::RECORD_SAMPLE);
  EXPECT_EQ(capture::kind_of_record(std::span(bytes).first(7)), 0xffff);
}

TEST(Stacks, HiddenKernelAddressesNameNothing) {
  std::istringstream hidden("0000000000000000 T _text\n0000000000000000 T do_syscall_64\n");
  EXPECT_EQ(KernelNames(hidden).size(), 0u);
}

TEST(Stacks, FrameNamesCannotBreakAStack) {
  EXPECT_EQ(capture::stacks::frame_name("a;b\nc\x7f"), "a b c ");
  const std::string cut = capture::stacks::frame_name(std::string(1000, 'x'));
  EXPECT_EQ(cut.size(), 256u);
  EXPECT_TRUE(cut.ends_with("x..."));
}

TEST(Demangle, NamesOfCxxAndRust) {
  using capture::symbols::demangled;
  EXPECT_EQ(demangled("_ZN4shop4CartC1Ev"), "shop::Cart::Cart()");
  EXPECT_EQ(demangled("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
  EXPECT_EQ(demangled("main.(*Cart).ServeHTTP"), "main.(*Cart).ServeHTTP");
  EXPECT_EQ(demangled("_Zgarbage"), "_Zgarbage");
}

// Each pair contains the previous one twice: a kilobyte that would expand beyond all memory stays mangled.
TEST(Demangle, ExplodingNamesStayAsTheyAre) {
  std::string name = "_Z1fSt4pairIiiE";
  const char* digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  name += "S_IS0_S0_E";
  for (int i = 1; i < 30; ++i) {
    const std::string before = std::string("S") + digits[i] + "_";
    name += "S_I" + before + before + "E";
  }
  EXPECT_EQ(capture::symbols::demangled(name), name);
}

}  // namespace
