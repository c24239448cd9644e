#include "formats/columns/collector.h"

namespace tailcap::formats::columns {

void CollectedBlock::clear() {
  columns.each_kind(
      [](const KindEntry&, auto& kind) { kind.each_column([](int, auto& column, bool) { column.clear(); }); });
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
