// What of a report is shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/wire/exchange.h"

namespace tailcap::report {

struct ReportOptions {
  std::string file;           // the capture's name, for the lines that say what to type next
  std::string scope;          // which requests were selected; empty: all
  std::size_t width = 100;    // columns of the text
  std::size_t routes = 8;     // routes shown; the others are counted
  std::size_t sentences = 8;  // at the top
  std::size_t details = 3;    // routes whose slow requests are compared with typical ones
  std::size_t slowest = 10;
  bool plain = false;                        // nothing but ASCII where tailcap chooses the characters
  bool coloured = false;                     // the text has the terminal's escape sequences
  bool brief = false;                        // the first line and the answers only
  bool page = false;                         // the report is a page
  bool reduced = false;                      // it would be too large with all that it usually shows
  std::vector<model::ExchangeId> in_time{};  // requests that the page shows in time
  model::ExchangeId opened{};                // the request at which the page opens; connection 0: at none
};

inline constexpr std::size_t kRoutesInPage = 50;    // --json has them all
inline constexpr std::size_t kSectionsInPage = 12;  // routes with their plots and comparison
inline constexpr std::size_t kSlowestInPage = 25;

}  // namespace tailcap::report
