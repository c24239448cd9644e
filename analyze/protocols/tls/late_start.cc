#include "analyze/protocols/tls/late_start.h"

namespace tailcap::protocols::tls {

bool TlsLateStart::push(const model::ByteRun& run) {
  Side& s = sides_[static_cast<std::size_t>(run.direction)];
  s.reader.gap(run.gap);
  Cursor cursor(run);
  Fragment f;
  while (s.reader.next(cursor, f)) {
    if (f.resumed) s.since = s.reader.records() - 1;
    if (s.reader.records() - s.since >= kEnough) return true;
  }
  return false;
}

}  // namespace tailcap::protocols::tls
