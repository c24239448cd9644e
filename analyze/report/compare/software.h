// What differs in the software of two sides, in words.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/gate/software.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// "google.golang.org/grpc v1.33.3 → v1.34.0", at most `most`, and how many more there are.
std::vector<std::string> software_lines(const std::vector<model::gate::SoftwareChange>& changes, std::size_t most);
// Adds all of them.
void add_software(const std::vector<model::gate::SoftwareChange>& changes, render::Document& out);

}  // namespace tailcap::report
