// Places of probes in functions of known shapes. Each function is written out; labels mark the expected places.
#include "capture/symbols/probe_place.h"

#include <gtest/gtest.h>

#include "tests/unit/capture/machine_code.h"

namespace tailcap::capture::symbols {
namespace {

using testing::MachineCode;

constexpr std::uint64_t kElsewhere = 0x9000, kAbort = 0x8000;
constexpr Signature kRead{CallConvention::system_v, 3, 1};
constexpr Signature kGoRead{CallConvention::go_registers, 4, 3};

// The shape of OpenSSL's SSL_read: a length check, the real work, one exit with the stack protector.
MachineCode protected_read() {
  MachineCode code;
  code.hex("48 83 ec 18")                 // sub rsp, 0x18
      .hex("64 48 8b 04 25 28 00 00 00")  // mov rax, fs:0x28
      .hex("48 89 44 24 08")              // mov [rsp+8], rax
      .hex("31 c0")                       // xor eax, eax
      .hex("85 d2")                       // test edx, edx
      .label("check")
      .near("78", "negative")  // js
      .hex("48 89 e1")         // mov rcx, rsp
      .call(kElsewhere)
      .hex("8b 04 24")  // mov eax, [rsp]
      .label("out")
      .hex("48 8b 54 24 08")              // mov rdx, [rsp+8]
      .hex("64 48 2b 14 25 28 00 00 00")  // sub rdx, fs:0x28
      .label("protector")
      .near("75", "smashed")
      .hex("48 83 c4 18")  // add rsp, 0x18
      .hex("31 d2")        // xor edx, edx
      .label("ret")
      .hex("c3")
      .label("negative")
      .hex("b8 ff ff ff ff")  // mov eax, -1
      .near("eb", "out")
      .label("smashed")
      .call(kAbort);
  return code;
}

std::vector<std::uint64_t> addresses(const ResultChoice& choice) {
  std::vector<std::uint64_t> out;
  for (const Place& place : choice.places) out.push_back(place.address);
  return out;
}

using Addresses = std::vector<std::uint64_t>;

TEST(ProbePlace, ReadWithStackProtector) {
  const MachineCode code = protected_read();
  const FunctionGraph graph = code.graph();
  const EntryChoice entry = choose_entry(graph, kRead);
  ASSERT_TRUE(entry.place);
  EXPECT_EQ(entry.place->address, code.at("check"));
  EXPECT_EQ(entry.place->address - MachineCode::kAddress, 0x16u);
  EXPECT_EQ(entry.place->price, Price::emulated);
  EXPECT_EQ(entry.place->stack_depth, 0x18);
  EXPECT_FALSE(entry.skip_when_taken);
  EXPECT_FALSE(entry.may_repeat);
  const ResultChoice results = choose_results(graph, kRead);
  EXPECT_EQ(addresses(results), Addresses{code.at("protector")});
  EXPECT_EQ(results.price(), Price::emulated);
  EXPECT_EQ(results.places[0].stack_depth, 0x18);
  EXPECT_TRUE(results.complete);
  EXPECT_FALSE(results.places[0].shared);
}

TEST(ProbePlace, ProtectorIsUselessIfTheResultComesAfterIt) {
  MachineCode code;
  code.hex("53")  // push rbx
      .hex("48 83 ec 10")
      .call(kElsewhere)
      .hex("89 c3")  // mov ebx, eax
      .hex("48 8b 44 24 08")
      .hex("64 48 2b 04 25 28 00 00 00")
      .near("75", "smashed")
      .hex("48 83 c4 10")
      .hex("89 d8")
      .hex("5b")  // mov eax, ebx
      .label("ret")
      .hex("c3")
      .label("smashed")
      .call(kAbort);
  const ResultChoice results = choose_results(code.graph(), kRead);
  EXPECT_EQ(addresses(results), Addresses{code.at("ret")});
  EXPECT_EQ(results.price(), Price::single_stepped);
  EXPECT_TRUE(results.complete);
}

TEST(ProbePlace, ArgumentsSurviveUpToTheCallButNotOverIt) {
  MachineCode code;
  code.hex("48 83 ec 08")
      .label("call")
      .call(kElsewhere)
      .hex("31 d2")
      .hex("85 c0")
      .hex("0f 48 c2")  // cmovs eax, edx
      .hex("48 83 c4 08")
      .label("ret")
      .hex("c3");
  const FunctionGraph graph = code.graph();
  EXPECT_EQ(choose_entry(graph, {CallConvention::system_v, 4, 1}).place->address,
            MachineCode::kAddress);  // a call is the last choice
  EXPECT_EQ(addresses(choose_results(graph, kRead)), Addresses{code.at("ret")});
}

TEST(ProbePlace, FirstPushAfterEndbr) {
  MachineCode code;
  code.hex("f3 0f 1e fa").label("push").hex("41 57").hex("41 5f").hex("c3");
  const auto entry = choose_entry(code.graph(), kRead);
  EXPECT_EQ(entry.place->address, code.at("push"));
  EXPECT_EQ(entry.place->stack_depth, 0);
}

TEST(ProbePlace, OverwrittenArgumentEndsTheSearch) {
  for (const char* write : {"31 d2", "b2 01", "48 8b 16", "0f b6 17", "48 87 d0", "f7 e1", "0f a2", "d6"}) {
    MachineCode code;  // each of these writes rdx or is unknown
    code.hex("48 89 f0").hex(write).hex("53").hex("5b").hex("c3");
    const auto entry = choose_entry(code.graph(), kRead);
    ASSERT_TRUE(entry.place) << write;
    EXPECT_EQ(entry.place->address, MachineCode::kAddress) << write;
    EXPECT_EQ(entry.place->price, Price::single_stepped) << write;
    // If fewer arguments are needed, the push is fine.
    if (std::string_view(write) != "d6" && std::string_view(write) != "f7 e1") {
      EXPECT_EQ(choose_entry(code.graph(), {CallConvention::system_v, 1, 1}).place->price, Price::emulated) << write;
    }
  }
}

TEST(ProbePlace, NothingBehindABranchThatSomeCallsTake) {
  MachineCode code;
  code.hex("89 d2")  // mov edx, edx: writes the argument before the first branch
      .hex("85 d2")
      .near("74", "out")
      .hex("53")
      .hex("5b")
      .label("out")
      .hex("c3");
  const auto entry = choose_entry(code.graph(), kRead);
  EXPECT_EQ(entry.place->address, MachineCode::kAddress);
  EXPECT_EQ(entry.place->price, Price::single_stepped);
  EXPECT_FALSE(entry.may_repeat);
}

TEST(ProbePlace, FirstInstructionsThatAreALoop) {
  MachineCode code;
  code.label("again").hex("48 ff c7").hex("80 3f 00").near("75", "again").hex("c3");
  const auto entry = choose_entry(code.graph(), {CallConvention::system_v, 0, 1});
  ASSERT_TRUE(entry.place);
  EXPECT_TRUE(entry.may_repeat);
  EXPECT_EQ(entry.place->price, Price::single_stepped);
}

TEST(ProbePlace, PrefixesThatTheKernelRefuses) {
  // The kernel refuses cs nop, notrack jmp and lock, so the next possible place is used.
  MachineCode code;
  code.hex("2e 90").label("mov").hex("48 89 f8").label("ret").hex("c3");
  EXPECT_EQ(choose_entry(code.graph(), kRead).place->address, code.at("mov"));
  // 66 jmp: every kernel version refuses it, though a plain jmp is emulated.
  MachineCode word;
  word.label("mov").hex("48 89 f8").hex("66 90").hex("c3");
  EXPECT_EQ(choose_entry(word.graph(), kRead).place->address, word.at("mov"));
}

TEST(ProbePlace, ForwardingFunctionHasAnEntryAndNoReturn) {
  MachineCode code;
  code.hex("45 31 c0").hex("31 c9").label("jump").jump(kElsewhere);
  const FunctionGraph graph = code.graph();
  EXPECT_EQ(choose_entry(graph, kRead).place->address, code.at("jump"));
  const auto results = choose_results(graph, kRead);
  EXPECT_TRUE(results.places.empty());
  EXPECT_FALSE(results.complete);
  EXPECT_EQ(results.exits, Addresses{kElsewhere});
}

TEST(ProbePlace, ReturnsAndATailCallAreIncomplete) {
  MachineCode code;
  code.hex("53")
      .hex("85 ff")
      .near("74", "tail")
      .hex("31 c0")
      .hex("5b")
      .label("ret")
      .hex("c3")
      .label("tail")
      .hex("48 8b 47 30")
      .hex("5b")
      .hex("ff e0");  // mov rax, [rdi+0x30]; pop rbx; jmp rax
  const FunctionGraph graph = code.graph();
  const auto results = choose_results(graph, kRead);
  EXPECT_EQ(addresses(results), Addresses{code.at("ret")});
  EXPECT_FALSE(results.complete);
  EXPECT_TRUE(graph.has_indirect_exit());
  EXPECT_FALSE(graph.has_switch());
}

TEST(ProbePlace, TailCallIsFollowedIntoAPartThatWasGiven) {
  MachineCode code;
  code.hex("85 ff").near("74", "ret").jump(kElsewhere).label("ret").hex("31 c0").label("own").hex("c3");
  FunctionCode parts{{{MachineCode::kAddress, code.bytes()}, {kElsewhere, std::string("\x31\xc0\xc3")}}, {}};
  const auto results = choose_results(FunctionGraph(parts), kRead);
  EXPECT_EQ(addresses(results), (Addresses{code.at("own"), kElsewhere + 2}));
  EXPECT_TRUE(results.complete);
  EXPECT_FALSE(results.places[0].shared);
  EXPECT_TRUE(results.places[1].shared);
}

TEST(ProbePlace, EveryReturnNeedsAPlace) {
  // One exit passes an emulated jump with the result in place, the other does not.
  MachineCode code;
  code.hex("85 ff")
      .near("74", "zero")
      .hex("b8 01 00 00 00")
      .label("jump")
      .near("eb", "end1")
      .label("zero")
      .hex("31 c0")
      .label("ret2")
      .hex("c3")
      .label("end1")
      .hex("48 89 fa")
      .hex("c3");
  const auto results = choose_results(code.graph(), kRead);
  EXPECT_EQ(addresses(results), (Addresses{code.at("jump"), code.at("ret2")}));
  EXPECT_EQ(results.price(), Price::single_stepped);
  EXPECT_TRUE(results.complete);
}

TEST(ProbePlace, NoCallPassesTwoPlaces) {
  // The branch behind the first jump is also reached on other paths: only the later place is allowed.
  MachineCode code;
  code.hex("85 ff")
      .near("74", "other")
      .hex("31 c0")
      .near("eb", "join")
      .label("other")
      .hex("b0 01")
      .label("join")
      .hex("85 f6")
      .label("late")
      .near("74", "a")
      .hex("c3")
      .label("a")
      .hex("c3");
  const auto results = choose_results(code.graph(), kRead);
  EXPECT_EQ(addresses(results), Addresses{code.at("late")});
}

TEST(ProbePlace, CallThatReturnsSpoilsTheResult) {
  MachineCode code = protected_read();
  code.hex("c3");  // now something follows the call on the smashed path
  EXPECT_NE(addresses(choose_results(code.graph(), kRead)), Addresses{code.at("protector")});
  EXPECT_EQ(addresses(choose_results(code.graph({kAbort}), kRead)), Addresses{code.at("protector")});
}

TEST(ProbePlace, SwitchThatWasNotReadLeavesOnlyTheProtector) {
  MachineCode code;
  code.hex("53")
      .hex("48 63 04 81")
      .hex("48 01 c8")
      .hex("ff e0")  // movslq; add rax, rcx; jmp rax
      .hex("31 c0")
      .near("eb", "out")
      .hex("b0 02")
      .label("out")
      .hex("5b")
      .label("ret")
      .hex("c3");
  const FunctionGraph graph = code.graph();
  EXPECT_TRUE(graph.has_switch());
  EXPECT_FALSE(graph.has_indirect_exit());
  EXPECT_EQ(addresses(choose_results(graph, kRead)), Addresses{code.at("ret")});
  EXPECT_FALSE(choose_entry(graph, kRead).may_repeat) << "a push is passed once";
}

TEST(ProbePlace, GoStackCheckIsPassedByWhereThereIsSomethingBehindIt) {
  MachineCode code;  // the prologue of Go 1.21 and later pushes the frame pointer
  code.label("start")
      .hex("49 3b 66 10")
      .label("check")
      .near("76", "more")
      .label("push")
      .hex("55")
      .hex("48 89 e5")
      .hex("31 c0")
      .hex("5d")
      .label("ret")
      .hex("c3")
      .label("more")
      .hex("48 89 44 24 08")
      .call(kElsewhere)
      .hex("48 8b 44 24 08")
      .near("eb", "start");
  const auto entry = choose_entry(code.graph(), kGoRead);
  EXPECT_EQ(entry.place->address, code.at("push"));
  EXPECT_FALSE(entry.skip_when_taken);
  EXPECT_EQ(entry.place->price, Price::emulated);
}

TEST(ProbePlace, GoStackCheckItselfIsPassedAgainWhenTaken) {
  MachineCode code;  // the prologue of Go 1.19
  code.label("start")
      .hex("49 3b 66 10")
      .label("check")
      .near("76", "more")
      .hex("48 83 ec 18")
      .hex("31 c0")
      .call(kElsewhere)
      .hex("48 83 c4 18")
      .label("ret")
      .hex("c3")
      .label("more")
      .call(kElsewhere)
      .near("eb", "start");
  const auto entry = choose_entry(code.graph(), kGoRead);
  EXPECT_EQ(entry.place->address, code.at("check"));
  EXPECT_TRUE(entry.skip_when_taken);
  EXPECT_EQ(entry.condition, 6);
  const auto results = choose_results(code.graph(), kGoRead);
  EXPECT_EQ(addresses(results), Addresses{code.at("ret")});
  EXPECT_TRUE(results.complete);
}

TEST(ProbePlace, GoStackCheckBeforeAStackThatCannotBeFollowed) {
  MachineCode code;
  code.label("start")
      .hex("49 3b 66 10")
      .label("check")
      .near("76", "more")
      .hex("4c 89 e4")  // mov rsp, r12
      .label("push")
      .hex("55")
      .hex("5d")
      .hex("c3")
      .label("more")
      .call(kElsewhere)
      .near("eb", "start");
  const auto entry = choose_entry(code.graph(), kGoRead);
  EXPECT_EQ(entry.place->address, code.at("check"));
  EXPECT_TRUE(entry.skip_when_taken);
  EXPECT_EQ(entry.place->stack_depth, 0);
}

TEST(ProbePlace, BytesThatAreNoInstructions) {
  MachineCode code;
  code.hex("53").hex("85 ff").near("74", "bad").hex("c3").label("bad").hex("06");
  const FunctionGraph graph = code.graph();
  EXPECT_FALSE(graph.whole());
  EXPECT_NE(graph.problem().find("0x"), std::string::npos);
  EXPECT_TRUE(choose_entry(graph, kRead).place);
  EXPECT_FALSE(choose_results(graph, kRead).complete);
  const FunctionGraph empty(FunctionCode{});
  EXPECT_FALSE(choose_entry(empty, kRead).place);
  EXPECT_TRUE(choose_results(empty, kRead).places.empty());
}

TEST(ProbePlace, EveryCutOfAFunctionIsHandled) {
  const std::string whole = protected_read().bytes();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const FunctionGraph graph({{{MachineCode::kAddress, whole.substr(0, size)}}, {}});
    const auto entry = choose_entry(graph, kRead);
    if (entry.place) {
      EXPECT_LE(entry.place->address, MachineCode::kAddress + 0x16);
    }
    for (const Place& place : choose_results(graph, kRead).places)
      EXPECT_LT(place.address, MachineCode::kAddress + size);
  }
}

// A probe on a call kills a process that has a user shadow stack: any other place is better, whatever it costs.
TEST(ProbePlace, ACallIsTheLastChoice) {
  for (const bool indirect : {false, true}) {
    MachineCode code;
    code.hex("48 83 ec 18");  // sub rsp, 0x18: single-stepped
    indirect ? code.hex("ff d0") : code.call(kElsewhere);
    code.hex("48 83 c4 18").hex("c3");
    const EntryChoice entry = choose_entry(code.graph(), kRead);
    ASSERT_TRUE(entry.place);
    EXPECT_EQ(entry.place->address, MachineCode::kAddress);
    EXPECT_EQ(entry.place->price, Price::single_stepped);
    if (indirect) continue;  // single-stepped as well
    const EntryChoice harmless = choose_entry(code.graph(), kRead, Calls::equal);
    ASSERT_TRUE(harmless.place);
    EXPECT_TRUE(harmless.place->instruction.starts_with("call")) << "no process of such a kernel has a shadow stack";
    EXPECT_EQ(harmless.place->price, Price::emulated);
  }
  // If there is no other place, the code that attaches decides: it knows about shadow stacks (FunctionLinks).
  MachineCode only;
  only.call(kElsewhere).hex("c3");
  const EntryChoice entry = choose_entry(only.graph(), kRead);
  ASSERT_TRUE(entry.place);
  EXPECT_TRUE(entry.place->instruction.starts_with("call"));
}

TEST(ProbePlace, NoResultIsTakenAtACall) {
  MachineCode code;
  code.hex("55").hex("31 c0").label("call").call(kAbort).hex("5d c3");
  for (const Place& place : choose_results(code.graph(), kRead).places)
    EXPECT_FALSE(place.instruction.starts_with("call"));
}

// From Linux 6.18 on such a nop becomes a call, which overwrites the red zone of a leaf function.
TEST(ProbePlace, ANopOfFiveBytesOnlyAtTheBeginning) {
  const char* nop = "0f 1f 44 00 00";
  MachineCode first;
  first.hex(nop).hex("48 89 7c 24 f8").hex("c3");  // mov [rsp-8], rdi
  ASSERT_TRUE(choose_entry(first.graph(), kRead).place);
  EXPECT_EQ(choose_entry(first.graph(), kRead).place->address, MachineCode::kAddress);
  MachineCode inside;
  inside.hex("2e 90").label("nop").hex(nop).label("next").hex("89 f8").hex("c3");  // the bytes before it take no probe
  ASSERT_TRUE(choose_entry(inside.graph(), kRead).place);
  EXPECT_EQ(choose_entry(inside.graph(), kRead).place->address, inside.at("next"));
  // Nops of other lengths are not rewritten by the kernel.
  MachineCode four;
  four.hex("2e 90").label("nop").hex("0f 1f 40 00").hex("89 f8").hex("c3");
  EXPECT_EQ(choose_entry(four.graph(), kRead).place->address, four.at("nop"));
}

}  // namespace
}  // namespace tailcap::capture::symbols
