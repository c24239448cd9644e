// Instructions of arm64, as its assembler writes them: what the kernel does with a uprobe on each, where each leads,
// and which registers it writes.
#include <gtest/gtest.h>

#include <cstring>

#include "capture/symbols/instruction.h"

namespace tailcap::capture::symbols {
namespace {

constexpr std::uint64_t kAt = 0x1000;

Instruction arm64(std::uint32_t word) {
  char bytes[4];
  std::memcpy(bytes, &word, sizeof bytes);
  return decode_arm64({bytes, sizeof bytes}, kAt).value_or(Instruction{});
}

constexpr std::uint32_t kCarriedOut[] = {
    0x14000004,  // b
    0x97fffffe,  // bl
    0x54000069,  // b.ls
    0xb4000040,  // cbz x0
    0x37180041,  // tbnz w1, #3
    0xd61f0220,  // br x17
    0xd63f0060,  // blr x3
    0xd65f03c0,  // ret
    0x90000001,  // adrp x1
    0x58000042,  // ldr x2 of a place beside the code
};
constexpr std::uint32_t kStepped[] = {
    0xd503201f,  // nop
    0xd503233f,  // paciasp
    0xd503245f,  // bti c
    0xaa0003e3,  // mov x3, x0
    0xeb02003f,  // cmp x1, x2
    0xf9400862,  // ldr x2, [x3, #16]
    0xa9be7bfd,  // stp x29, x30, [sp, #-32]!
};
constexpr std::uint32_t kRefused[] = {
    0xc85ffc41,  // ldaxr x1, [x2]
    0xd4000001,  // svc #0
    0xd4200020,  // brk #1
    0xd71f0801,  // braa x0, x1
    0xd53bd040,  // mrs x0, tpidr_el0
    0x00000000,  // udf #0
};

TEST(InstructionsOfArm64, WhatIsEmulated) {
  for (const auto word : kCarriedOut) EXPECT_TRUE(arm64(word).emulated && arm64(word).probeable) << std::hex << word;
  for (const auto word : kStepped) EXPECT_TRUE(!arm64(word).emulated && arm64(word).probeable) << std::hex << word;
  for (const auto word : kRefused) EXPECT_FALSE(arm64(word).probeable) << std::hex << word;
}

TEST(InstructionsOfArm64, WhereTheyLead) {
  const auto leads = [](std::uint32_t word, Flow flow, std::uint64_t target) {
    EXPECT_EQ(arm64(word).flow, flow) << std::hex << word;
    EXPECT_EQ(arm64(word).target, target) << std::hex << word;
  };
  leads(0x14000004, Flow::jump, kAt + 16);
  leads(0x97fffffe, Flow::call, kAt - 8);
  leads(0x54000069, Flow::branch, kAt + 12);
  leads(0xb4000040, Flow::branch, kAt + 8);
  leads(0x37180041, Flow::branch, kAt + 8);
  leads(0xd61f0220, Flow::indirect_jump, 0);
  leads(0xd71f0801, Flow::indirect_jump, 0);
  leads(0xd63f0060, Flow::indirect_call, 0);
  leads(0xd65f03c0, Flow::ret, 0);
  leads(0xd4200020, Flow::stop, 0);
  leads(0xf9400862, Flow::next, 0);
  EXPECT_EQ(arm64(0x54000069).condition, 6);  // lower or same
  EXPECT_EQ(arm64(0x54000044).condition, 8);  // minus
  EXPECT_GT(arm64(0x54000041).condition, 15);
}

TEST(InstructionsOfArm64, WhatTheyWrite) {
  const auto writes = [](std::uint32_t word, RegisterMask mask) {
    EXPECT_EQ(arm64(word).writes, mask) << std::hex << word;
  };
  writes(0xaa0003e3, 1 << 3);                      // mov x3, x0
  writes(0xeb02003f, 0);                           // cmp x1, x2
  writes(0xf27d001f, 0);                           // tst x0, #8
  writes(0xf9000062, 0);                           // str x2, [x3]
  writes(0xf9400862, 1 << 2);                      // ldr x2, [x3, #16]
  writes(0xa94014c4, 1 << 4 | 1 << 5);             // ldp x4, x5, [x6]
  writes(0xb88044c5, 1 << 5 | 1 << 6);             // ldrsw x5, [x6], #4
  writes(0xa9be7bfd, 0);                           // stp x29, x30, [sp, #-32]!
  writes(0xd4000001, 1 << 0);                      // svc #0
  writes(0xd53bd040, 1 << 0);                      // mrs x0, tpidr_el0
  EXPECT_TRUE(arm64(0xf8e08041).writes & 1 << 1);  // swpal x0, x1, [x2]
}

TEST(InstructionsOfArm64, TheStackPointer) {
  const auto moves = [](std::uint32_t word, std::int32_t by) {
    EXPECT_TRUE(arm64(word).stack_known) << std::hex << word;
    EXPECT_EQ(arm64(word).stack_change, by) << std::hex << word;
  };
  moves(0xa9be7bfd, -32);    // stp x29, x30, [sp, #-32]!
  moves(0xa8c27bfd, 32);     // ldp x29, x30, [sp], #32
  moves(0xd14007ff, -4096);  // sub sp, sp, #0x1, lsl #12
  moves(0xaa0003e3, 0);
  moves(0xeb02003f, 0);
  EXPECT_FALSE(arm64(0x910003bf).stack_known);  // mov sp, x29
}

TEST(InstructionsOfArm64, AnAdditionBeforeTheJumpOfASwitch) {
  EXPECT_TRUE(arm64(0x8b228820).adds_to);  // add x0, x1, w2, sxtb #2
  EXPECT_TRUE(arm64(0xf8637841).adds_to);  // ldr x1, [x2, x3, lsl #3]
  EXPECT_FALSE(arm64(0xf9400862).adds_to);
}

TEST(InstructionsOfArm64, NoInstruction) {
  EXPECT_FALSE(decode_arm64(std::string_view("\x1f\x20\x03", 3), kAt));
  EXPECT_FALSE(decode_arm64(std::string_view("\x1f\x20\x03\xd5", 4), kAt + 2));
}

}  // namespace
}  // namespace tailcap::capture::symbols
