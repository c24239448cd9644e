#include "analyze/model/statistics/t_distribution.h"

#include <boost/math/distributions/students_t.hpp>
#include <cassert>

namespace tailcap::model {
namespace {

// As in tail/rows/quantiles.cc: neither throws nor promotes.
using namespace boost::math::policies;
using Policy = policy<promote_double<false>, domain_error<errno_on_error>, overflow_error<errno_on_error>,
                      evaluation_error<errno_on_error>>;
using Distribution = boost::math::students_t_distribution<double, Policy>;

}  // namespace

double t_above(double t, double df) {
  assert(df > 0);
  return boost::math::cdf(boost::math::complement(Distribution(df), t));
}

double t_quantile(double p, double df) {
  assert(df > 0 && p > 0 && p < 1);
  return boost::math::quantile(Distribution(df), p);
}

}  // namespace tailcap::model
