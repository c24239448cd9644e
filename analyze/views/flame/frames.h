// What the frames of a folded stack are.
#pragma once

#include <string_view>
#include <vector>

namespace tailcap::views {

// Without the process, which is the lowest frame. Views of stack.
std::vector<std::string_view> frames_of(std::string_view stack);
// A function of Python: "render_invoice (svc.py:5)".
bool of_script(std::string_view frame);
// A function that the compiler has put into its caller.
bool inlined(std::string_view frame);
// Such a one of the standard library of C++ or Rust: the application is what it was put into.
bool inlined_library(std::string_view frame);
// A function of a program that is known by its name.
bool has_name(std::string_view frame);
// A function of the C library, the C++ library, Go's runtime, or Python's own modules, Node.js's, Ruby's or Java's in
// which threads wait or begin. Other libraries are not known by the names of their functions.
bool of_runtime(std::string_view frame);
// In a stack with functions of Python, PHP, JavaScript, Ruby or Java (script), only those have names that count:
// between them is the interpreter.
bool counts_by_name(std::string_view frame, bool script);
// Such a function that is none of a runtime.
bool of_application(std::string_view frame, bool script);

}  // namespace tailcap::views
