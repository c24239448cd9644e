// Values of summaries as people read them.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {

inline std::string nanoseconds_text(double ns) { return duration_text(Duration{std::llround(ns)}); }
inline std::string nanoseconds_text(const std::optional<double>& ns) { return ns ? nanoseconds_text(*ns) : "–"; }
inline std::optional<std::int64_t> whole_number(const std::optional<double>& x) {
  return x ? std::optional<std::int64_t>(std::llround(*x)) : std::nullopt;
}
// "2026-03-02 10:00".
inline std::string minute_text(std::int64_t ns) { return utc_text(ns, 0).substr(0, 16); }
inline std::string day_text(std::int64_t ns) { return utc_text(ns, 0).substr(0, 10); }
inline std::string name_text(const std::string& name) { return name.empty() ? "–" : printable(name); }
// Every digit of a share would be noise.
inline double rounded_share(double value) { return std::round(value * 1e6) / 1e6; }

}  // namespace tailcap::report
