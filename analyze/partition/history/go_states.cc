#include "analyze/partition/history/go_states.h"

namespace tailcap::partition {

// runtime/runtime2.go, waitReasonStrings, of 1.19 to 1.24. Up to 1.19 a mutex, too, was "semacquire".
model::Label label_of_reason(std::string_view reason) {
  using enum model::Label;
  const auto begins = [&](std::string_view with) { return reason.substr(0, with.size()) == with; };
  if (begins("chan ")) return lock_go_chan;
  if (begins("select")) return lock_go_select;
  if (begins("sync.Mutex") || begins("sync.RWMutex")) return lock_go_mutex;
  if (begins("sync.") || begins("semacquire")) return lock_go_wait;
  if (begins("sleep")) return timer_sleep;
  if (begins("IO wait")) return net_unknown_socket;
  if (begins("GC ") || begins("wait for GC") || begins("garbage collection")) return go_gc_wait;
  return go_park;
}

}  // namespace tailcap::partition
