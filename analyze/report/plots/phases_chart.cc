#include "analyze/report/plots/phases_chart.h"

#include <algorithm>
#include <numeric>

#include "analyze/model/label_group.h"
#include "analyze/report/tail/bands.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::plots {
namespace {

using model::BarChart;

void add_part(BarChart::Panel& panel, std::string_view name, std::string_view colour, std::vector<double> shares) {
  if (std::ranges::all_of(shares, [](double s) { return s <= 0; })) return;
  panel.parts.push_back({std::string(name), std::string(colour), std::move(shares)});
}

std::string bar_name(const std::string& band, Duration mean) {
  return band + ": " + (mean.count() > 0 ? duration_text(mean) : std::string("unknown"));
}

}  // namespace

std::optional<BarChart> phases_chart(const model::RouteStudy& route) {
  if (route.bands.empty()) return std::nullopt;
  const BandTable table = band_table(route);
  BarChart out;
  BarChart::Panel phases{"request", {}, {}}, labels{"what it waited for", {}, {}};
  for (std::size_t i = 0; i < table.names.size(); ++i) phases.bars.push_back(bar_name(table.names[i], table.means[i]));
  for (const BandRow& row : table.phases) {
    std::vector<double> shares;
    for (const BandCell& cell : row.cells) shares.push_back(cell.share);
    add_part(phases, row.name, row.colour, std::move(shares));
  }
  if (phases.parts.empty()) return std::nullopt;
  if (route.tail) {
    for (const model::Band& band : route.bands) {
      const auto same = std::ranges::find(route.tail->bands, band.from, &model::LabelBand::from);
      labels.bars.push_back(bar_name(band_name(band), Duration{same == route.tail->bands.end() ? 0 : same->mean}));
    }
    for (std::size_t i = 0; i < model::kLabelGroups; ++i) {
      const auto group = static_cast<model::LabelGroup>(i);
      std::vector<double> shares;
      for (const model::Band& band : route.bands) {
        std::int64_t time = 0, all = 0;
        for (const auto& labelled : route.tail->bands) {
          if (labelled.from != band.from) continue;
          for (const auto& [label, ns] : labelled.labels) {
            all += ns;
            if (model::group_of(label) == group) time += ns;
          }
        }
        shares.push_back(all > 0 ? static_cast<double>(time) / static_cast<double>(all) : 0);
      }
      add_part(labels, model::text_of(group), model::colour_of(group), std::move(shares));
    }
  }
  out.panels.push_back(std::move(phases));
  const bool labelled = !labels.parts.empty();
  if (labelled) out.panels.push_back(std::move(labels));
  out.caption = "Where requests spend their time, by how fast they are: shares of the mean duration given on the left.";
  if (route.latency_tainted != 0) out.caption += " Requests whose duration is in doubt are left out.";
  if (!labelled) out.caption += " What they waited for is unknown.";
  return out;
}

}  // namespace tailcap::report::plots
