// Which request comes next: a weighted choice among templates, the same for the same seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace tailcap::samples {

struct Template {
  double weight = 1;
  std::string method, path;  // {n}: a number below 1000; {w}: a word
  std::uint64_t body_bytes = 0;
};

struct Planned {
  std::string method, path;
  std::uint64_t body_bytes = 0;
};

// "WEIGHT METHOD PATH [BODYBYTES]". Throws std::runtime_error with the reason if the text is invalid.
Template parse_template(const std::string& text);
// The mix that the sample service is made for.
std::vector<Template> shop_mix();

class Mix {
 public:
  Mix(std::vector<Template> templates, std::uint64_t seed);
  Planned next();

 private:
  std::vector<Template> templates_;
  std::mt19937_64 random_;
  std::discrete_distribution<std::size_t> choice_;
};

}  // namespace tailcap::samples
