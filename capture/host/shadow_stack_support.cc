#include "capture/host/shadow_stack_support.h"

#include <string>

#include "capture/host/system_file.h"

namespace tailcap::capture::symbols {

bool kernel_has_shadow_stacks() {
  // The first processor's flags are within the first kilobytes; all processors have the same.
  static const bool has = [] {
    const std::string text = read_system_file("/proc/cpuinfo");
    return text.empty() || text.find(" user_shstk") != text.npos;
  }();
  return has;
}

}  // namespace tailcap::capture::symbols
