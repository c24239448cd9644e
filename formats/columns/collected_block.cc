#include "formats/columns/collector.h"
#include "formats/columns/column_fields.h"

namespace tailcap::formats::columns {
namespace {

struct Clear {
  static constexpr Use kUse = Use::visit;
  template <class T>
  void visit(Column<T>& column) {
    column.clear();
  }
};

}  // namespace

void CollectedBlock::clear() {
  Clear clear;
  each_kind(clear, columns, 0);
  columns.base = 0;
  for (auto* column : {&columns.order, &columns.bytes}) column->clear();
  for (auto* column : {&columns.time, &columns.thread, &columns.goroutine}) column->clear();
  for (auto* column : {&columns.pids, &columns.tids, &columns.piece_ends}) column->clear();
  columns.time_far.clear();
  columns.sockets.clear();
  columns.goroutines.clear();
  events = 0;
  lost = raw_bytes = 0;
  first = last = kNoTime;
}

}  // namespace tailcap::formats::columns
