#include <algorithm>

#include "analyze/report/json/shape.h"
#include "analyze/report/summaries/summaries.h"
#include "analyze/report/summaries/words.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_similar {
namespace {

using model::ProfilePart;
using model::SharedName;
using model::SimilarityStudy;
using model::SimilarSummary;

template <class T>
using SimilarShape = Shape<T, Anywhere>;

struct PartDistance {
  ProfilePart part;
  double distance;
};
std::vector<PartDistance> parts_of(const SimilarSummary& s) {
  std::vector<PartDistance> out;
  for (std::size_t i = 0; i < s.parts.size(); ++i)
    if (s.parts[i]) out.push_back({static_cast<ProfilePart>(i), *s.parts[i]});
  return out;
}

std::string distance_text(const std::optional<double>& d) {
  if (!d) return "–";
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", *d);
  return text;
}

const SimilarShape<PartDistance> kPart{
    "part", {{"part", one_of<ProfilePart::waiting>(&PartDistance::part)}, {"distance", &PartDistance::distance}}};

const SimilarShape<SharedName> kSharedName{
    "shared",
    {
        {"part", one_of<ProfilePart::waiting>(&SharedName::part),
         "labels: time of served requests; callees: time of calls; running: samples on a CPU; waiting: waits"},
        {"name", &SharedName::name},
        {"share", [](auto& s) { return rounded_share(s.mine); }},
        {"past_share", [](auto& s) { return rounded_share(s.theirs); }},
    }};

const SimilarShape<SimilarSummary> kSummaryAt{
    "past",
    {
        {"file", &SimilarSummary::file},
        {"distance", &SimilarSummary::distance, "0: the same, 1: nothing in common; null: no part is known of both"},
        {"parts", kPart, parts_of, "those that both have"},
        {"shared", kSharedName, &SimilarSummary::shared, "the largest share of both first"},
    }};

const SimilarShape<SimilarityStudy> kSimilar{
    "similar",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"file", &SimilarityStudy::file},
        {"nearest", kSummaryAt, &SimilarityStudy::nearest, "the nearest first"},
    }};

}  // namespace
}  // namespace of_similar

render::Document similar_document(const model::SimilarityStudy& study, std::size_t most) {
  render::Document out;
  out.heading(1, "tailcap similar: " + printable(study.file));
  render::Table table;
  using Kind = render::Column::Kind;
  table.columns = {{"distance"}, {"summary", Kind::name}, {"what they share", Kind::name}};
  for (std::size_t i = 0; i < std::min(most, study.nearest.size()); ++i) {
    const auto& past = study.nearest[i];
    std::string shared;
    for (const auto& s : past.shared)
      shared +=
          (shared.empty() ? "" : ", ") + printable(s.name) + " " + share_text(s.mine) + " and " + share_text(s.theirs);
    if (!past.distance) shared = "no part of the profile is known of both";
    table.rows.push_back({{of_similar::distance_text(past.distance), name_text(past.file), shared}});
  }
  out.add(std::move(table));
  if (study.nearest.size() > most)
    out.note(count_text(study.nearest.size() - most, "more summary", "more summaries") + " not shown here.");
  out.note(
      "The distance is from 0, the same, to 1, nothing in common: of shares of time by label and by callee, and of "
      "functions on a CPU and waiting, as far as both have them.");
  return out;
}

std::string similar_json(const model::SimilarityStudy& study) {
  return json_of(of_similar::kSimilar, study, Anywhere{});
}
std::string similar_schema() {
  return json_schema(of_similar::kSimilar, "tailcap similar --json", "Past summaries by their distance.");
}

}  // namespace tailcap::report
