#include "capture/scan/processes.h"

#include "capture/host/shadow_stack_support.h"
#include "capture/scan/opener.h"
#include "capture/scan/sandbox.h"
#include "capture/scan/worker.h"

namespace tailcap::capture::scan {

namespace {

bool prepare_reader() {
  symbols::kernel_has_shadow_stacks();  // readers cannot open a file any more
  return drop_privileges();
}

}  // namespace

Processes::Processes()
    : openers_({"tailcap-open", keep_opening_privileges, serve_opening}),
      readers_({"tailcap-read", prepare_reader, serve_scans}) {}

}  // namespace tailcap::capture::scan
