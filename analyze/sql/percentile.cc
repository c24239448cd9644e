#include "analyze/sql/percentile.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "analyze/sql/handles.h"

namespace tailcap::sql {
namespace {

constexpr int kFirstWithOwn = 3'047'000;  // SQLite's version

// The numbers of one group. SQLite gives it zeroed, and frees it without a destructor.
struct Numbers {
  double* data;  // of sqlite3_malloc, so that it counts against the limit of its heap
  std::uint64_t size, room;
  double percent;
  bool begun;
};

void refuse(sqlite3_context* context, const char* why) { sqlite3_result_error(context, why, -1); }

bool is_number(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

bool grow(Numbers& numbers) {
  if (numbers.size < numbers.room) return true;
  const std::uint64_t room = numbers.room == 0 ? 256 : numbers.room * 2;
  void* const data = sqlite3_realloc64(numbers.data, room * sizeof(double));
  if (!data) return false;
  numbers.data = static_cast<double*>(data);
  numbers.room = room;
  return true;
}

void step(sqlite3_context* context, int, sqlite3_value** values) {
  auto* const numbers = static_cast<Numbers*>(sqlite3_aggregate_context(context, sizeof(Numbers)));
  if (!numbers) return sqlite3_result_error_nomem(context);
  const double percent = sqlite3_value_double(values[1]);
  if (!is_number(values[1]) || !(percent >= 0 && percent <= 100))
    return refuse(context, "the second argument of percentile() is a number from 0 to 100");
  if (numbers->begun && numbers->percent != percent)
    return refuse(context, "the second argument of percentile() is the same in all rows");
  numbers->begun = true;
  numbers->percent = percent;
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  if (!is_number(values[0])) return refuse(context, "the first argument of percentile() is a number");
  if (!grow(*numbers)) return sqlite3_result_error_nomem(context);
  numbers->data[numbers->size++] = sqlite3_value_double(values[0]);
}

void end(sqlite3_context* context) {
  auto* const numbers = static_cast<Numbers*>(sqlite3_aggregate_context(context, 0));
  if (!numbers) return;
  const std::span<double> all(numbers->data, numbers->size);
  if (!all.empty()) {
    const double place = numbers->percent / 100 * static_cast<double>(all.size() - 1);
    const auto at = static_cast<std::ptrdiff_t>(std::floor(place));
    std::nth_element(all.begin(), all.begin() + at, all.end());
    const double low = all[static_cast<std::size_t>(at)], part = place - std::floor(place);
    const double high = part > 0 ? *std::min_element(all.begin() + at + 1, all.end()) : low;
    sqlite3_result_double(context, low + part * (high - low));
  }
  sqlite3_free(numbers->data);
  numbers->data = nullptr;
}

}  // namespace

void add_percentile(sqlite3* database) {
  if (sqlite3_libversion_number() >= kFirstWithOwn) return;
  if (sqlite3_create_function_v2(database, "percentile", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, nullptr, step,
                                 end, nullptr) != SQLITE_OK)
    fail(database, "percentile() cannot be added");
}

}  // namespace tailcap::sql
