// Numbers as people read them: three digits that count, a unit, the same on every machine and in every locale.
#pragma once

#include <cstdint>
#include <string>

#include "formats/time.h"
#include "ground/text.h"

namespace tailcap::report {

using formats::Duration;
using formats::Time;
using ground::percent_text;
using ground::share_text;

// "0 s", "850 ns", "12.3 µs", "4.56 ms", "1.23 s", "2 min 05 s", "3 h 07 min".
std::string duration_text(Duration d);
// In the unit that duration_text would choose for `scale`, without the unit: the ends of an interval beside their
// value.
std::string duration_in_unit_of(Duration d, Duration scale);
// With three decimals in the unit of `scale`, for places on one axis: "+24.276 ms", "-0.350 ms".
std::string place_text(Duration d, Duration scale);
// Every nanosecond: "12,345,678 ns".
std::string exact_text(Duration d);

std::string bytes_text(std::uint64_t bytes);  // "512 B", "1.23 kB", "4.56 MB": powers of 1000
std::string address_text(std::uint64_t n);    // "0x7f00"
std::string count_text(std::uint64_t n);      // "1,234,567"
std::string count_text(std::uint64_t n, const char* one, const char* many);  // "1 request", "1,234 requests"
std::string rate_text(double per_second);                                    // "0.012/s", "4.5/s", "123/s", "12,345/s"

// Wall-clock time in UTC from nanoseconds since 1970: "2026-03-01 12:34:56.789 UTC".
std::string utc_text(std::int64_t nanoseconds_since_1970, int decimals = 3);
// "+3.210 s" after begin; "–" if unknown.
std::string offset_text(Time t, Time begin);

}  // namespace tailcap::report
