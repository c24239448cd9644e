#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <locale>

#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

std::string d(std::int64_t ns) { return duration_text(Duration{ns}); }

TEST(Number, DurationsHaveThreeDigitsAndTheRightUnit) {
  EXPECT_EQ(d(0), "0 s");
  EXPECT_EQ(d(1), "1 ns");
  EXPECT_EQ(d(999), "999 ns");
  EXPECT_EQ(d(1'000), "1.00 µs");
  EXPECT_EQ(d(9'994), "9.99 µs");
  EXPECT_EQ(d(9'995), "10.0 µs");
  EXPECT_EQ(d(99'949), "99.9 µs");
  EXPECT_EQ(d(99'950), "100 µs");
  EXPECT_EQ(d(999'499), "999 µs");
  EXPECT_EQ(d(999'500), "1.00 ms");
  EXPECT_EQ(d(1'234'567), "1.23 ms");
  EXPECT_EQ(d(999'500'000), "1.00 s");
  EXPECT_EQ(d(59'949'000'000), "59.9 s");
  EXPECT_EQ(d(59'950'000'000), "1 min 00 s");
  EXPECT_EQ(d(125'400'000'000), "2 min 05 s");
  EXPECT_EQ(d(3'599'600'000'000), "1 h 00 min");
  EXPECT_EQ(d(3 * 3'600'000'000'000 + 7 * 60'000'000'000), "3 h 07 min");
  EXPECT_EQ(d(-1'500), "-1.50 µs");
}

TEST(Number, ExtremesDoNotOverflow) {
  EXPECT_EQ(d(std::numeric_limits<std::int64_t>::max()), "2562047 h 47 min");
  EXPECT_EQ(d(std::numeric_limits<std::int64_t>::min()), "-2562047 h 47 min");
  EXPECT_EQ(exact_text(Duration::min()), "-9,223,372,036,854,775,808 ns");
  EXPECT_EQ(bytes_text(std::numeric_limits<std::uint64_t>::max()), "18446744 TB");
  EXPECT_EQ(offset_text(formats::time_from(std::numeric_limits<std::int64_t>::max()), formats::time_from(-2)),
            "+9223372036.855 s");
}

TEST(Number, EndsOfAnIntervalTakeTheUnitOfTheirValue) {
  const Duration value{1'200'000};
  EXPECT_EQ(duration_in_unit_of(Duration{1'152'000}, value), "1.15");
  EXPECT_EQ(duration_in_unit_of(Duration{952'000}, value), "0.95");
  EXPECT_EQ(duration_in_unit_of(Duration{12'345'678}, value), "12.3");
  EXPECT_EQ(duration_in_unit_of(Duration{4'200'000}, Duration{900'000}), "4200");
}

TEST(Number, PlacesOnOneAxisAreOfOneUnit) {
  const Duration span{24'283'162};
  EXPECT_EQ(place_text(Duration{0}, span), "+0.000 ms");
  EXPECT_EQ(place_text(Duration{24'276'512}, span), "+24.277 ms");
  EXPECT_EQ(place_text(Duration{-3'530'000}, span), "-3.530 ms");
  EXPECT_EQ(place_text(Duration{5}, Duration{10}), "+0.005 µs");
}

TEST(Number, BytesAndCounts) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1'000), "1.00 kB");
  EXPECT_EQ(bytes_text(1'234'567), "1.23 MB");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'000), "1,000");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(count_text(1, "route", "routes"), "1 route");
  EXPECT_EQ(count_text(2, "route", "routes"), "2 routes");
}

TEST(Number, SharesNeverRoundSomethingToNothingNorPartToAll) {
  EXPECT_EQ(share_text(std::uint64_t{0}, std::uint64_t{10}), "0 %");
  EXPECT_EQ(share_text(std::uint64_t{10}, std::uint64_t{10}), "100 %");
  EXPECT_EQ(share_text(std::uint64_t{1}, std::uint64_t{1'000'000}), "<0.01 %");
  EXPECT_EQ(share_text(std::uint64_t{999'999}, std::uint64_t{1'000'000}), ">99.9 %");
  EXPECT_EQ(share_text((std::uint64_t{1} << 60) - 1, std::uint64_t{1} << 60), ">99.9 %");
  EXPECT_EQ(share_text(std::uint64_t{123}, std::uint64_t{1'000}), "12.3 %");
  EXPECT_EQ(share_text(std::uint64_t{42}, std::uint64_t{10'000}), "0.42 %");
  EXPECT_EQ(share_text(0.00994), "0.99 %");
  EXPECT_EQ(share_text(0.00996), "1.0 %");
  EXPECT_EQ(share_text(0.99), "99.0 %");
  EXPECT_EQ(share_text(0.9987), "99.9 %");
  EXPECT_EQ(share_text(std::uint64_t{1}, std::uint64_t{0}), "–");
}

TEST(Number, RatiosMayBeNegativeOrMoreThanAll) {
  EXPECT_EQ(percent_text(-0.032), "-3.2 %");
  EXPECT_EQ(percent_text(1), "100 %");
  EXPECT_EQ(percent_text(1.404), "140 %");
  EXPECT_EQ(percent_text(0.00001), "<0.01 %");
  EXPECT_EQ(percent_text(std::numeric_limits<double>::quiet_NaN()), "–");
}

TEST(Number, Hexadecimal) {
  EXPECT_EQ(ground::hex_text(0), "0");
  EXPECT_EQ(ground::hex_text(0x7f00), "7f00");
  EXPECT_EQ(ground::hex_text(0x7f, 4), "007f");
  EXPECT_EQ(ground::hex_text(std::string_view("\x00\xfe", 2)), "00fe");
}

TEST(Number, Rates) {
  EXPECT_EQ(rate_text(0), "0/s");
  EXPECT_EQ(rate_text(0.0001), "<0.001/s");
  EXPECT_EQ(rate_text(0.0123), "0.012/s");
  EXPECT_EQ(rate_text(4.5), "4.50/s");
  EXPECT_EQ(rate_text(41.04), "41.0/s");
  EXPECT_EQ(rate_text(12'345.4), "12,345/s");
  EXPECT_EQ(rate_text(std::numeric_limits<double>::infinity()), "0/s");
}

TEST(Number, WallClockIsUtcAndCutNotRounded) {
  EXPECT_EQ(utc_text(0), "1970-01-01 00:00:00.000 UTC");
  EXPECT_EQ(utc_text(1'772'368'496'789'999'999), "2026-03-01 12:34:56.789 UTC");
  EXPECT_EQ(utc_text(951'782'400'000'000'000, 0), "2000-02-29 00:00:00 UTC");
  EXPECT_EQ(utc_text(-1, 9), "1969-12-31 23:59:59.999999999 UTC");
}

TEST(Number, TheLocaleChangesNothing) {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
  EXPECT_EQ(d(1'234'567), "1.23 ms");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(share_text(0.123, 1.0), "12.3 %");
  std::locale::global(before);
}

}  // namespace
}  // namespace tailcap::report
