#include "samples/load/mix.h"

#include <sstream>
#include <stdexcept>

namespace tailcap::samples {
namespace {

void replace(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

std::vector<double> weights(const std::vector<Template>& templates) {
  std::vector<double> all;
  for (const Template& t : templates) all.push_back(t.weight);
  return all;
}

}  // namespace

Template parse_template(const std::string& text) {
  std::istringstream in(text);
  Template t;
  if (!(in >> t.weight >> t.method >> t.path) || t.weight <= 0 || t.path[0] != '/')
    throw std::runtime_error("--route wants 'WEIGHT METHOD /PATH [BODYBYTES]', not '" + text + "'");
  in >> t.body_bytes;
  return t;
}

std::vector<Template> shop_mix() {
  return {{50, "GET", "/cart/{n}", 0},  {25, "GET", "/search?q={w}{n}", 0},
          {10, "POST", "/orders", 300}, {6, "GET", "/slow", 0},
          {3, "GET", "/report", 0},     {2, "GET", "/stream", 0},
          {2, "HEAD", "/cart/{n}", 0},  {1, "GET", "/error", 0},
          {1, "GET", "/nothing", 0}};
}

Mix::Mix(std::vector<Template> templates, std::uint64_t seed)
    : templates_(std::move(templates)), random_(seed), choice_([this] {
        const std::vector<double> all = weights(templates_);
        return std::discrete_distribution<std::size_t>(all.begin(), all.end());
      }()) {}

Planned Mix::next() {
  static constexpr const char* kWords[] = {"tea", "mug", "kettle", "scones", "jam", "spoon", "biscuit", "milk"};
  const Template& t = templates_[choice_(random_)];
  Planned planned{t.method, t.path, t.body_bytes};
  if (planned.path.find('{') != std::string::npos) {
    replace(planned.path, "{n}", std::to_string(random_() % 1000));
    replace(planned.path, "{w}", kWords[random_() % std::size(kWords)]);
  }
  return planned;
}

}  // namespace tailcap::samples
