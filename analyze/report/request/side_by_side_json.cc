// `tailcap show FILE A B --json`, and the schema of both forms.
#include "analyze/report/json/shape.h"
#include "analyze/report/request/show_shape.h"
#include "analyze/report/request/side_by_side.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

struct SideBySide {
  const ShownRequest &first, &second;
  std::vector<LabelPair> labels;
};

const Shape<LabelPair, Anywhere> kLabelPair{
    "label_pair",
    {
        {"label", [](auto& p) { return model::name_of(p.label); }},
        {"first_ns", &LabelPair::first},
        {"second_ns", &LabelPair::second},
        {"difference_ns", [](auto& p) { return std::int64_t{(p.second - p.first).count()}; }, "second less first"},
    }};

const Shape<SideBySide, Anywhere>& side_by_side_shape() {
  static const Shape<SideBySide, Anywhere> shape{
      "side_by_side",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"first", of_show::show_shape(), [](auto& p) { return &p.first; }},
          {"second", of_show::show_shape(), [](auto& p) { return &p.second; }},
          {"labels", kLabelPair, [](auto& p) { return p.labels.empty() ? nullptr : &p.labels; },
           "those that differ most first; null: the labels of one are not known"},
      }};
  return shape;
}

}  // namespace

std::string json_side_by_side(const ShownRequest& first, const ShownRequest& second) {
  return json_of(side_by_side_shape(), {first, second, label_pairs(first.detail.request, second.detail.request)},
                 Anywhere{});
}

std::string show_schema() {
  const Description* const all[] = {&of_show::show_shape(), &side_by_side_shape()};
  return json_schema_of_any(
      all, "tailcap show --json",
      "The first form is one request, the second two side by side. What the names mean is said in JSON.md. Times are "
      "from the start of the request. Names may be added; none that is required goes away, or changes its type, "
      "without another number in `schema`.",
      true);
}

}  // namespace tailcap::report
