#include "capture/stacks/python_processes.h"

#include <bpf/bpf.h>

#include "capture/stacks/python_layouts.h"

namespace tailcap::capture::stacks {

void PythonProcesses::set(std::uint32_t pid, const symbols::PythonProgram& program, std::uint64_t bias) {
  const auto layout = python_layout(program);
  if (map_ < 0 || !layout || program.code_type() == 0 || program.text_type() == 0) return;
  const std::uint64_t runtime = bias + program.runtime();
  Known& known = known_[pid];
  if (known.runtime != runtime) known = {runtime, ++last_number_};
  const bpf::python_process process{runtime, bias + program.code_type(), bias + program.text_type(), known.number,
                                    *layout};
  if (bpf_map_update_elem(map_, &pid, &process, BPF_ANY) != 0) forget(pid);
}

void PythonProcesses::forget(std::uint32_t pid) {
  if (known_.erase(pid) > 0) bpf_map_delete_elem(map_, &pid);
}

}  // namespace tailcap::capture::stacks
