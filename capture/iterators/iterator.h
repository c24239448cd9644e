// Iterators: kernel programs that run once for every task, or for every file of every task, when they are read.
#pragma once

#include <cstddef>
#include <vector>

struct bpf_program;

namespace tailcap::capture {

// What it writes; nothing where it was not loaded. Throws std::system_error.
std::vector<std::byte> iterate(const bpf_program* program);

}  // namespace tailcap::capture
