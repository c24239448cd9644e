// What the kernel programs counted, and how it is said.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "bpf/inject/shared.h"

namespace tailcap::inject {

using Counts = std::array<std::uint64_t, COUNT_KINDS>;

Counts operator-(const Counts& a, const Counts& b);
// "12 s  1,204 requests got ids (+100), 3 had some  17 connections, 2 left alone"
std::string progress_line(const Counts& now, const Counts& before, std::uint64_t seconds);
// Several lines, each with its end.
std::string summary(const Counts& counts);

}  // namespace tailcap::inject
