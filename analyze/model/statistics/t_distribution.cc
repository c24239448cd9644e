#include "analyze/model/statistics/t_distribution.h"

#include <boost/math/distributions/students_t.hpp>
#include <cassert>

namespace tailcap::model {
namespace {

// As in tail/rows/quantiles.cc: neither throws nor promotes.
namespace policies = boost::math::policies;
using Policy = policies::policy<policies::promote_double<false>, policies::domain_error<policies::errno_on_error>,
                                policies::overflow_error<policies::errno_on_error>,
                                policies::evaluation_error<policies::errno_on_error>>;
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
