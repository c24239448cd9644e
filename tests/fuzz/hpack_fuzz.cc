// Header blocks against nghttp2's inflater: blocks that it accepts decode to the same fields and the same table.
//
// Input: blocks, each [control][length][bytes]. control 0xff: a block is lost; 0xfe: its end was not captured; 0xfd:
// its middle was not. From the first of these on there is no reference, but known fields must be well-formed.
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "analyze/protocols/hpack/decoder.h"

namespace {

using namespace tailcap::protocols::hpack;

struct Delete {
  void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
};
using Oracle = std::unique_ptr<nghttp2_hd_inflater, Delete>;

void check(bool holds) {
  if (!holds) std::abort();
}

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// false: the reference refuses the block.
bool same(nghttp2_hd_inflater* oracle, std::string_view block, const FieldList& fields, Step step) {
  const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size(), n = 0;
  for (;;) {
    nghttp2_nv nv;
    int flags = 0;
    const auto used = nghttp2_hd_inflate_hd2(oracle, &nv, &flags, in, left, 1);
    if (used < 0) return false;
    in += used;
    left -= static_cast<std::size_t>(used);
    if (flags & NGHTTP2_HD_INFLATE_EMIT) {
      if (n < fields.size()) {
        const HeaderField field = fields[n];
        check(field.known() && field.name == text(nv.name, nv.namelen) && field.value == text(nv.value, nv.valuelen));
      } else {
        check(fields.dropped() > 0 || step != Step::done);
      }
      ++n;
    }
    if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
  }
  nghttp2_hd_inflate_end_headers(oracle);
  check(step == Step::done && fields.size() + fields.dropped() == n);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nghttp2_hd_inflater* made = nullptr;
  check(nghttp2_hd_inflate_new(&made) == 0);
  Oracle oracle(made);
  Decoder decoder;
  FieldList fields;
  while (size >= 2) {
    const std::uint8_t control = data[0];
    const std::size_t length = std::min<std::size_t>(data[1], size - 2);
    const std::string_view bytes = text(data + 2, length);
    data += 2 + length;
    size -= 2 + length;
    if (control == 0xff) {
      decoder.lose();
      oracle.reset();
      continue;
    }
    HeaderBlock block;
    if (control == 0xfd && length > 2) {
      block.append(bytes.substr(0, length / 2));
      block.append_unknown(length / 4);
      block.append(bytes.substr(length / 2 + length / 4));
    } else {
      block.append(bytes);
    }
    if (control == 0xfe) block.cut_here();
    const Step step = decoder.decode(block, fields);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const HeaderField field = fields[i];
      check((field.name_known || field.name.empty()) && (field.value_known || field.value.empty()));
    }
    check(decoder.table().size() <= DynamicTable::kMaxStored);
    check(step == Step::done || !decoder.table().certain());
    if (!block.whole() || block.cut()) oracle.reset();
    if (!oracle) continue;
    if (!same(oracle.get(), bytes, fields, step)) {
      oracle.reset();
      continue;
    }
    check(decoder.table().certain());
    check(decoder.table().size() == nghttp2_hd_inflate_get_dynamic_table_size(oracle.get()));
  }
  return 0;
}
