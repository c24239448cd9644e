#include "analyze/cli/output/printed_document.h"

#include "analyze/cli/output/terminal.h"

namespace tailcap::cli {

std::string printed_document(const render::Document& document, const std::string& format, const std::string& output,
                             std::size_t width) {
  if (format == "md") return render::to_markdown(document);
  if (format == "html") return render::to_html(document);
  return render::to_text(document, width, (output.empty() || output == "-") && coloured());
}

}  // namespace tailcap::cli
