// How the kernel handles a uprobe on an instruction, and which registers the instruction writes.
#include "capture/symbols/instruction.h"

#include <gtest/gtest.h>

#include "tests/unit/capture/machine_code.h"

namespace tailcap::capture::symbols {
namespace {

using testing::MachineCode;

TEST(Instructions, WhatIsEmulated) {
  Disassembler disassembler;
  const auto decode = [&](const char* hex) {
    const std::string bytes = MachineCode().hex(hex).bytes();
    const auto i = disassembler.decode(bytes, 0x1000);
    EXPECT_TRUE(i && i->length == bytes.size()) << hex;
    return i.value_or(Instruction{});
  };
  for (const char* hex : {"50", "55", "41 57", "90", "e8 00 00 00 00", "e9 00 00 00 00", "eb 00", "74 10", "7f f0",
                          "0f 85 00 01 00 00"}) {
    EXPECT_TRUE(decode(hex).emulated) << hex;
    EXPECT_TRUE(decode(hex).probeable) << hex;
  }
  for (const char* hex : {"58", "c3", "ff d0", "ff e0", "6a 00", "f3 0f 1e fa", "0f 1f 44 00 00", "48 83 ec 18",
                          "ff 30", "e3 00", "f2 e9 00 00 00 00", "48 89 e5", "66 50"}) {
    EXPECT_FALSE(decode(hex).emulated) << hex;
  }
  for (const char* hex :
       {"58", "c3", "c2 08 00", "ff d0", "ff e0", "f3 0f 1e fa", "48 83 ec 18", "64 48 8b 04 25 28 00 00 00"})
    EXPECT_TRUE(decode(hex).probeable) << hex;
  for (const char* hex : {"3e ff e0", "2e 66 0f 1f 84 00 00 00 00 00", "f0 0f b1 0a", "0f 05", "cc", "f4", "66 90",
                          "c5 f8 77", "0f 38 f0 07"})
    EXPECT_FALSE(decode(hex).probeable) << hex;
}

TEST(Instructions, WhatTheyWrite) {
  Disassembler disassembler;
  const auto writes = [&](const char* hex) {
    const auto i = disassembler.decode(MachineCode().hex(hex).bytes(), 0x1000);
    return i ? i->writes : RegisterMask{0};
  };
  EXPECT_EQ(writes("31 c0"), 1 << 0);
  EXPECT_EQ(writes("48 89 fb"), 1 << 3);               // mov rbx, rdi
  EXPECT_EQ(writes("85 d2"), 0);                       // test
  EXPECT_EQ(writes("48 39 fe"), 0);                    // cmp
  EXPECT_EQ(writes("48 89 44 24 08") & ~(1 << 4), 0);  // a store
  EXPECT_EQ(writes("44 8b 77 10"), 1 << 14);           // mov r14d, [rdi+0x10]
  EXPECT_EQ(writes("48 98"), 1 << 0);                  // cdqe
  EXPECT_EQ(writes("99") & 1 << 2, 1 << 2);            // cdq writes edx
  EXPECT_EQ(writes("f3 48 a5") & 0xc2, 0xc2);          // rep movsq: rcx, rsi, rdi
  EXPECT_EQ(writes("0f 48 c2"), 1 << 0);               // cmovs: a possible write counts as one
  EXPECT_EQ(writes("48 0f b1 0a") & 1, 1);             // cmpxchg writes rax
  EXPECT_EQ(writes("55") & ~(1 << 4), 0);              // push
  EXPECT_EQ(writes("86 c4") & 1, 1);                   // xchg ah, al
}

}  // namespace
}  // namespace tailcap::capture::symbols
