#include <gtest/gtest.h>

#include <string>

#include "capture/symbols/demangle.h"
#include "capture/symbols/rust/escaped_name.h"
#include "capture/symbols/rust/plain_name.h"
#include "capture/symbols/rust/punycode.h"

namespace tailcap::capture::symbols {

namespace {

TEST(RustNames, Paths) {
  EXPECT_EQ(demangled("_RNvCs1_4shop6render"), "shop::render");
  EXPECT_EQ(demangled("_RNvC6_123foo3bar"), "123foo::bar");
  EXPECT_EQ(demangled("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_"), "cc::spawn::{closure#0}::{closure#0}");
  EXPECT_EQ(demangled("_RNvXs0_NtCs1_4shop4cartNtB5_4CartNtNtCs2_4core3fmt5Debug3fmt"),
            "<shop::cart::Cart as core::fmt::Debug>::fmt");
  EXPECT_EQ(demangled("_RC3foo.llvm.9D1C9369"), "foo");
  EXPECT_EQ(demangled("_RINvNtC4core3ptr13drop_in_placehEC4shop"), "core::ptr::drop_in_place::<u8>")
      << "in which crate the instance was made is left out";
}

TEST(RustNames, Types) {
  EXPECT_EQ(demangled("_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_E"),
            "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>");
  EXPECT_EQ(demangled("_RINvC4shop1fThmEAtj3_RShQeE"), "shop::f::<(u8, u32), [u16; 3], &[u8], &mut str>");
  EXPECT_EQ(demangled("_RINvC4shop1fFUKCthEuPhOhE"), "shop::f::<unsafe extern \"C\" fn(u16, u8), *const u8, *mut u8>");
  EXPECT_EQ(demangled("_RINvC4shop1fFG_RL0_hEbE"), "shop::f::<for<'a> fn(&'a u8) -> bool>");
  EXPECT_EQ(demangled("_RMC0INtC8arrayvec8ArrayVechKj7b_E"), "<arrayvec::ArrayVec<u8, 123>>");
  EXPECT_EQ(demangled("_RINvC4shop1fKanb_Kb1_Kc76_E"), "shop::f::<-11, true, 'v'>");
}

TEST(RustNames, InAnyAlphabet) {
  EXPECT_EQ(demangled("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y"),
            "utf8_idents::საჭმელად_გემრიელი_სადილი");
  EXPECT_EQ(decode_punycode("gre_6ka8i"), "größe");
  EXPECT_EQ(decode_punycode("gre_5q"), std::nullopt) << "a number is cut";
  EXPECT_EQ(decode_punycode("a_99999999"), std::nullopt);
  EXPECT_EQ(decode_punycode("a_A"), std::nullopt);
}

TEST(RustNames, OfTheOlderKind) {
  EXPECT_EQ(demangled("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
  EXPECT_EQ(demangled("_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE"),
            "<alloc::string::String as core::fmt::Debug>::fmt");
  EXPECT_EQ(demangled("_ZN4core3fmt5write17h0123456789abcdefE.llvm.123"), "core::fmt::write");
  EXPECT_EQ(without_rust_escapes("a$b..c::h0123456789abcdef"), "a$b::c");
  EXPECT_EQ(without_rust_escapes("a::h0123456789abcdeg"), std::nullopt);
  EXPECT_EQ(without_rust_escapes("::h0123456789abcdef"), std::nullopt);
}

TEST(RustNames, WhatIsNotValidStaysAsItIs) {
  for (const std::string name : {"_R", "_RB_", "_RNvB_1a", "_RNvC4shop99render", "_RC4shopX", "_RINvC4shop1fhh", "_R$",
                                 "_RNvC4shop6renderEE", "_RINvC4shop1fRL0_hE", "_RCs99999999999999999_1a"})
    EXPECT_EQ(demangled(name), name);
}

TEST(RustNames, ThoseThatGrowWithoutEndStayAsTheyAre) {
  EXPECT_EQ(demangled("_RINvC4shop1fTThhETBb_Bb_EEE"), "shop::f::<((u8, u8), ((u8, u8), (u8, u8)))>");
  std::string deep = "_RINvC4shop1f" + std::string(900, 'R') + "hE";
  EXPECT_EQ(demangled(deep), deep);
  // Each tuple consists of the one before it, three times.
  std::string many = "_RINvC4shop1f";
  const auto number = [](std::size_t n) {
    constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string out;
    for (--n; n > 0 || out.empty(); n /= 62) out.insert(out.begin(), digits[n % 62]);
    return out + "_";
  };
  std::size_t before = many.size() - 2;
  many += "ThhhhE";
  for (int i = 0; i < 40; ++i) {
    const std::size_t at = many.size() - 2;
    many += "TB" + number(before) + "B" + number(before) + "B" + number(before) + "E";
    before = at;
  }
  many += "E";
  EXPECT_EQ(demangled(many), many);
}

}  // namespace

}  // namespace tailcap::capture::symbols
