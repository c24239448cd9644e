// Names of system calls by their x86-64 numbers: what threads block in.
#pragma once

#include <string>

namespace tailcap::report {

std::string syscall_name(int number);  // "futex"; "syscall 512" where the name is not known; "no system call" below 0

}  // namespace tailcap::report
