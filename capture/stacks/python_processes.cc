#include "capture/stacks/python_processes.h"

#include <bpf/bpf.h>

namespace tailcap::capture::stacks {

namespace {

// Versions are those of PY_VERSION_HEX without the last two places: the structures stay within a minor version.
struct Row {
  std::uint32_t version;
  bpf::python_layout layout;
};
constexpr Row kLayouts[] = {
    {0x030b,
     {.runtime_holder = 576,
      .runtime_interpreters = 40,
      .interpreter_next = 0,
      .interpreter_threads = 16,
      .thread_next = 8,
      .thread_id = 152,
      .thread_frames = 56,
      .current_frame = 8,
      .frame_code = 32,
      .frame_previous = 48,
      .frame_entry = 68,
      .code_first_line = 72,
      .code_constants = 24,
      .code_names = 32,
      .code_file = 112,
      .code_name = 128,
      .code_lines = 136,
      .text_ascii = 48,
      .text_other = 72,
      .unused = 0}},
};

// Releases have 0xf there; structures of alphas and betas differ.
bool released(std::uint32_t version) { return (version >> 4 & 0xf) == 0xf; }

}  // namespace

std::optional<bpf::python_layout> python_layout(std::uint32_t version) {
  for (const Row& row : kLayouts) {
    if (row.version == version >> 16 && released(version)) return row.layout;
  }
  return std::nullopt;
}

std::string python_version(const symbols::PythonProgram& program, std::string_view file) {
  std::string text = "Python";
  if (program.version() != 0)
    return text + " " + std::to_string(program.version() >> 24) + "." + std::to_string(program.version() >> 16 & 0xff) +
           (released(program.version()) ? "" : " before its release");
  constexpr std::string_view kBefore = "python";
  const auto at = file.find(kBefore);
  if (at == file.npos) return text;
  const std::string_view rest = file.substr(at + kBefore.size());
  const auto end = rest.find_first_not_of("0123456789", rest.starts_with("3.") ? 2 : 0);
  const std::string_view number = rest.substr(0, end);
  return number.empty() ? text : text + " " + std::string(number);
}

void PythonProcesses::set(std::uint32_t pid, const symbols::PythonProgram& program, std::uint64_t bias) {
  const auto layout = python_layout(program.version());
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
