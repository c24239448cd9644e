// No two enumerators of bpf/event.h have one number: a switch over all of them does not compile otherwise, and warns
// where one is missing.
#include "bpf/event.h"

namespace tailcap::bpf {

namespace {

[[maybe_unused]] constexpr void distinct(record_kind value) {
  switch (value) {
    case RECORD_SEND:
    case RECORD_RECEIVE:
    case RECORD_ARRIVAL:
    case RECORD_RETRANSMIT:
    case RECORD_RESET:
    case RECORD_STATE_CHANGE:
    case RECORD_ACCEPT:
    case RECORD_SOCKET:
    case RECORD_OFF_CPU:
    case RECORD_TASK_START:
    case RECORD_TASK_EXEC:
    case RECORD_TASK_EXIT:
    case RECORD_TASK:
    case RECORD_TLS_SEND:
    case RECORD_TLS_RECEIVE:
    case RECORD_TLS_STEP:
    case RECORD_GO_CREATE:
    case RECORD_GO_RUNTIME:
    case RECORD_GO_STATE:
    case RECORD_GO_HANDLER:
    case RECORD_STALL:
    case RECORD_GO_CALL:
    case RECORD_SAMPLE:
    case RECORD_GO_EXIT:
    case RECORD_GO_PANIC:
    case RECORD_OOM_KILL:
    case RECORD_GO_CHANNEL:
    case RECORD_GO_ALLOCATIONS:
    case RECORD_MALLOC_CALLS:
    case RECORD_FILE_CALL:
    case RECORD_PACKET_DROPS:
    case RECORD_SCRIPT_CODE:
    case RECORD_TLS_SECRET:
    case RECORD_UNRECORDED:
      return;
  }
}

[[maybe_unused]] constexpr void distinct(tls_act value) {
  switch (value) {
    case ACT_READ:
    case ACT_WRITE:
    case ACT_READ_EX:
    case ACT_WRITE_EX:
    case ACT_WRITE_FILE:
    case ACT_PREPARE:
    case ACT_HANDSHAKE:
    case ACT_SHUTDOWN:
    case ACT_FREE:
    case ACT_CLEAR:
    case ACT_ALERT:
    case ACT_ALERT_NUMBER:
    case ACT_ERROR:
    case ACT_ERROR_OLD:
    case ACT_TRAFFIC_SECRET:
    case ACT_KEY_EXPANSION:
      return;
  }
}

[[maybe_unused]] constexpr void distinct(malloc_act value) {
  switch (value) {
    case MALLOC_SIZE:
    case MALLOC_PRODUCT:
    case MALLOC_ALIGNED:
    case MALLOC_ALIGNED_TO:
    case MALLOC_MOVES:
      return;
  }
}

[[maybe_unused]] constexpr void distinct(go_act value) {
  switch (value) {
    case GO_MADE:
    case GO_PHASE:
    case GO_ASSIST:
    case GO_PARK:
    case GO_READY:
    case GO_RUN:
    case GO_PREEMPTED:
    case GO_YIELDED:
    case GO_HANDLER:
    case GO_HANDLER_FUNCTION:
    case GO_HANDLER_METHOD:
    case GO_ASKED:
    case GO_SENDS:
    case GO_ENDED:
    case GO_PANICS:
    case GO_FATAL:
    case GO_THROWN:
    case GO_ALLOCATES:
    case GO_QUEUES:
    case GO_WRITES:
    case GO_GIVES:
    case GO_FETCHES:
    case GO_PUT:
    case GO_TOOK:
    case GO_SELECT_PUTS:
    case GO_SELECT_TAKES:
    case GO_EXCHANGES:
      return;
  }
}

}  // namespace

}  // namespace tailcap::bpf
