// Trace context in all its usual forms; a broken context is reported and never read as another one.
#include "analyze/model/wire/trace_context.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace tailcap::model::trace_context_test {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c", kSpan = "b7ad6b7169203331";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

std::string bytes_of(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

std::string base64(const std::string& bytes, bool padded = false) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, have = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) out.push_back(digits[bits >> (have - 6) & 63]);
  }
  if (have > 0) out.push_back(digits[bits << (6 - have) & 63]);
  while (padded && out.size() % 4 != 0) out.push_back('=');
  return out;
}

const std::string kWhole = bytes_of("0000" + kTrace + "01" + kSpan + "0201");

TraceContext of(std::initializer_list<std::pair<const char*, std::string>> fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return trace_context(headers);
}

TEST(TraceContext, EveryFormGivesTheSame) {
  for (const auto& c :
       {of({{"traceparent", kParent}}), of({{"grpc-trace-bin", base64(kWhole)}}),
        of({{"Grpc-Trace-Bin", base64(kWhole, true)}}), of({{"grpc-trace-bin", std::string(1, '\0') + kWhole}}),
        of({{"trace-id", kTrace}, {"span-id", kSpan}, {"traceflags", "01"}}),
        of({{"trace-id", "0AF7651916CD43DD8448EB211C80319C"},
            {"span-id", "B7AD6B7169203331"},
            {"traceflags", "01"}})}) {
    EXPECT_EQ(c.traceparent, kParent);
    EXPECT_TRUE(c.present);
    EXPECT_FALSE(c.invalid);
  }
}

TEST(TraceContext, OptionsMayBeLeftOut) {
  EXPECT_EQ(of({{"grpc-trace-bin", base64(kWhole.substr(0, 27))}}).traceparent, kParent.substr(0, 53) + "00");
  EXPECT_EQ(of({{"trace-id", kTrace}, {"span-id", kSpan}}).traceparent, kParent.substr(0, 53) + "00");
  EXPECT_EQ(of({{"grpc-trace-bin", base64(kWhole + "\x03 of a later day")}}).traceparent, kParent);
}

TEST(TraceContext, BrokenBinaryIsSaidToBe) {
  std::vector<std::string> broken = {"", "?", "A", base64(kWhole) + "*", base64(kWhole) + " ", std::string(300, 'A')};
  for (std::size_t n = 0; n < kWhole.size(); ++n)
    if (n != 27) broken.push_back(base64(kWhole.substr(0, n)));
  for (const auto& [at, value] : {std::pair{0, '\1'}, {1, '\1'}, {18, '\0'}, {18, '\2'}, {27, '\0'}}) {
    broken.push_back(kWhole);
    broken.back()[static_cast<std::size_t>(at)] = value;
    broken.back() = base64(broken.back());
  }
  broken.push_back(std::string(1, '\0') + kWhole.substr(0, 20));
  broken.push_back(kWhole.substr(1));
  broken.push_back(base64(bytes_of("0000" + std::string(32, '0') + "01" + kSpan + "0201")));
  broken.push_back(base64(bytes_of("0000" + kTrace + "01" + std::string(16, '0') + "0201")));
  for (const auto& value : broken) {
    const auto c = of({{"grpc-trace-bin", value}});
    EXPECT_EQ(c.traceparent, "") << value;
    EXPECT_TRUE(c.invalid) << value;
    EXPECT_TRUE(c.present) << value;
  }
}

TEST(TraceContext, AValidFormIsUsedBesideABrokenOne) {
  const auto c = of({{"grpc-trace-bin", "AAAA"}, {"trace-id", kTrace}, {"span-id", kSpan}, {"traceflags", "01"}});
  EXPECT_EQ(c.traceparent, kParent);
  EXPECT_TRUE(c.invalid);
}

TEST(TraceContext, WhatIsNoneOfOurs) {
  for (const auto& c :
       {of({}), of({{"trace-id", "Root=1-67891233-abcdef012345678912345678"}}), of({{"span-id", kSpan}})}) {
    EXPECT_FALSE(c.present);
    EXPECT_FALSE(c.invalid);
    EXPECT_EQ(c.traceparent, "");
  }
  EXPECT_TRUE(of({{"trace-id", kTrace}, {"span-id", "short"}}).invalid);
  EXPECT_TRUE(of({{"trace-id", kTrace}, {"span-id", kSpan}, {"traceflags", "1"}}).invalid);
}

TEST(TraceContext, MaskedIsNeitherKnownNorBroken) {
  const auto c = of({{"grpc-trace-bin", "************"}});
  EXPECT_TRUE(c.present);
  EXPECT_FALSE(c.invalid);
  EXPECT_EQ(c.traceparent, "");
}

}  // namespace
}  // namespace tailcap::model::trace_context_test
