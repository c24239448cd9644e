// Student's t distribution.
#pragma once

namespace tailcap::model {

// P(T > t) for df > 0 degrees of freedom, which need not be whole.
double t_above(double t, double df);
// The value below which T lies with probability p, 0 < p < 1.
double t_quantile(double p, double df);

}  // namespace tailcap::model
