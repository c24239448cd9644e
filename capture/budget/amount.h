// What --budget takes: "2%".
#pragma once

#include <string>

namespace tailcap::capture::budget {

// A share of the CPU time of all CPUs, as 0.02. Throws std::invalid_argument, which says what would be right.
double parse_share_of_cpus(const std::string& text);
// "2 %", "0.35 %"
std::string show_share_of_cpus(double share);
// "20000 ppm", as the capture has it
std::string show_ppm(double share);

}  // namespace tailcap::capture::budget
